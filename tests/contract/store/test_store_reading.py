"""What is read from the recorded shop comes out as it was recorded, headers and all."""

from __future__ import annotations

from typing import Any

import pytest
from store_client import Client, Reply, signed
from store_numbers import EXACT, LATER, SHAPED
from store_recordings import Recording, at_home, recording, shape, without

from integration.sandbox.store import shop_import

# WooCommerce picks related products anew for each reading.
SHUFFLED = ("related_ids",)
HEADERS = ("X-WP-Total", "X-WP-TotalPages", "Link", "Allow")


def client_of(recorded: Recording, secure: Client, plain: Client) -> Client:
    """Return the client that speaks as the recording did: http when its addresses do, or when it is signed."""
    text = str(recorded.response)
    return plain if recorded.is_oauth or ("http://store.test" in text or "http:\\\\/\\\\/store" in text) else secure


def check_headers(recorded: Recording, reply: Reply, url: str, names: tuple[str, ...] = HEADERS) -> None:
    """Compare the headers that matter; a Link that repeats a signature is none."""
    for name in names:
        if name == "Link" and (recorded.is_oauth or "consumer_key" in recorded.path):
            continue
        wanted = recorded.header(name)
        assert reply.headers.get(name) == (at_home(wanted, url) if wanted else None), name


def check(recorded: Recording, reply: Reply, url: str) -> None:
    """Compare status, headers and JSON."""
    assert reply.status == recorded.status
    check_headers(recorded, reply, url)
    if recorded.text:
        wanted: Any = Recording(0, {}, {"body": at_home(recorded.text, url)}).body
        assert without(reply.json, SHUFFLED) == without(wanted, SHUFFLED)


@pytest.mark.parametrize("number", EXACT)
def test_reading_is_as_recorded(number: int, secure: Client, plain: Client) -> None:
    recorded = recording(number)
    client = client_of(recorded, secure, plain)

    check(recorded, client.replay(recorded), client.server.url)


@pytest.mark.parametrize("number", SHAPED)
def test_what_the_shop_numbers_itself_has_the_recorded_shape(number: int, secure: Client) -> None:
    recorded = recording(number)

    reply = secure.replay(recorded)

    assert reply.status == recorded.status
    assert reply.headers.get("X-WP-Total") == recorded.header("X-WP-Total")
    assert shape(reply.json) == shape(recorded.body)


def test_general_settings_have_the_recorded_values(secure: Client) -> None:
    found = {entry["id"]: entry["value"] for entry in secure.replay(recording(132)).json}

    assert found == {entry["id"]: entry["value"] for entry in recording(132).body}


def test_system_status_tells_versions_and_settings(secure: Client) -> None:
    found, wanted = secure.replay(recording(5)).json, recording(5).body

    assert found.keys() == wanted.keys()
    assert found["environment"]["version"] == wanted["environment"]["version"]
    assert found["settings"].items() <= wanted["settings"].items()
    assert found["active_plugins"] == wanted["active_plugins"]


@pytest.mark.parametrize("number", [1, 2])
def test_indexes_name_the_routes(number: int, plain: Client) -> None:
    found, wanted = plain.replay(recording(number)).json, recording(number).body

    assert set(found) <= set(wanted)
    assert {"namespaces", "timezone_string", "gmt_offset"} <= set(found) or number == 2
    ours = {route.replace("number", "id").replace("refund>", "id>") for route in found["routes"]}
    assert {"/wc/v3/orders", "/wc/v3/webhooks/(?P<id>[\\d]+)", "/wc/v3/coupons/batch"} <= ours
    for route in ("/wc/v3/orders", "/wc/v3/products", "/wc/v3/taxes"):
        assert found["routes"][route] == wanted["routes"][route]


def test_options_names_the_verbs(secure: Client) -> None:
    reply = secure.replay(recording(40))

    assert reply.json["methods"] == recording(40).body["methods"]
    assert reply.headers["Allow"] == recording(40).header("Allow")


def test_a_gateway_is_named(secure: Client) -> None:
    found, wanted = secure.replay(recording(137)).json, recording(137).body

    assert {name: found[name] for name in ("id", "title", "enabled")} == {
        name: wanted[name] for name in ("id", "title", "enabled")
    }


@pytest.mark.parametrize("number", LATER)
def test_reading_of_the_shop_an_hour_later(number: int, changing: Client) -> None:
    recorded = recording(number)
    state = changing.server.state
    shop_import.order(state, recording(159).body)
    if number > 400:
        shop_import.order(state, recording(341).request_json)
    changing.server.mode = "plain_permalinks" if number == 421 else "normal"
    pair = changing.server.credentials.manager if number in (186, 187, 189) else None

    reply = _with_query_keys(changing, recorded) if number == 175 else changing.replay(recorded, pair)

    check(recorded, reply, changing.server.url)


def _with_query_keys(client: Client, recorded: Recording) -> Reply:
    pair = client.server.credentials
    path = recorded.path.replace("ck_" + "*" * 40, pair.key).replace("cs_" + "*" * 40, pair.secret)
    return client.send("GET", path)


def test_paging_by_modified_repeats_and_loses_rows_that_share_a_second(secure: Client) -> None:
    replies = [secure.replay(recording(number)) for number in range(482, 502)]
    rows = [row for reply in replies for row in reply.json]
    recorded = [row for number in range(482, 502) for row in recording(number).body]
    lost = 1950 - len({row["id"] for row in rows})

    assert len(rows) == len(recorded) == 1950
    assert {reply.headers["X-WP-Total"] for reply in replies} == {"1950"}
    assert [row["date_modified_gmt"] for row in rows] == [row["date_modified_gmt"] for row in recorded]
    assert 20 < lost < 120


def test_paging_by_id_loses_nothing(secure: Client) -> None:
    query = "/orders?per_page=100&orderby=id&order=asc&modified_after=2020-01-01T00:00:00&dates_are_gmt=true&_fields=id"
    rows = [row["id"] for page in range(1, 21) for row in secure.ask("GET", f"{query}&page={page}").json]

    assert rows == sorted(set(rows))
    assert len(rows) == 1950


def test_an_oauth_header_is_as_good_as_the_query(plain: Client) -> None:
    target = signed("GET", plain.server.url, "/wp-json/wc/v3/orders?per_page=1", plain.server.credentials)
    path, _, query = target.partition("?")
    parts = query.split("&")
    header = "OAuth " + ", ".join(f'{part.partition("=")[0]}="{part.partition("=")[2]}"' for part in parts[1:])

    reply = plain.send("GET", f"{path}?{parts[0]}", headers={"Authorization": header})

    check(recording(9), reply, plain.server.url)
