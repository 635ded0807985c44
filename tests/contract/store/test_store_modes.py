"""A shop that is off, closed, shut, broken or without permalinks answers as it was recorded."""

from __future__ import annotations

import http.client
import time

import pytest
from store_client import Client, Reply
from store_numbers import BROKEN, MAINTENANCE, PLAIN, PLUGIN_OFF, SPOILT
from store_recordings import at_home, recording

from integration.sandbox.store import shop_import


def client_of(number: int, secure: Client, plain: Client) -> Client:
    recorded = recording(number)
    return plain if recorded.is_oauth or "http://store.test" in str(recorded.response) else secure


def replay(number: int, mode: str, secure: Client, plain: Client) -> tuple[Reply, str]:
    client = client_of(number, secure, plain)
    client.server.mode = mode
    try:
        return client.replay(recording(number)), client.server.url
    finally:
        client.server.mode = "normal"


def check(number: int, reply: Reply, url: str, names: tuple[str, ...] = ("Link", "Location", "Retry-After")) -> None:
    """Compare status, kind and headers, and the body when it is JSON."""
    recorded = recording(number)
    assert reply.status == recorded.status
    assert reply.headers["Content-Type"].replace(" ", "") == (recorded.header("Content-Type") or "").replace(" ", "")
    for name in names:
        wanted = recorded.header(name)
        assert reply.headers.get(name) == (at_home(wanted, url) if wanted else None), name
    if "json" in reply.headers["Content-Type"]:
        assert reply.text == at_home(recorded.text, url)


@pytest.mark.parametrize("number", PLUGIN_OFF)
def test_without_the_plugin_there_are_no_routes(number: int, secure: Client, plain: Client) -> None:
    reply, url = replay(number, "plugin_off", secure, plain)

    check(number, reply, url)


@pytest.mark.parametrize("number", MAINTENANCE)
def test_a_closed_shop_says_when_to_come_back(number: int, secure: Client, plain: Client) -> None:
    reply, url = replay(number, "maintenance", secure, plain)

    check(number, reply, url)


@pytest.mark.parametrize("number", PLAIN)
def test_without_permalinks_the_address_is_another(number: int, secure: Client, plain: Client) -> None:
    reply, url = replay(number, "plain_permalinks", secure, plain)

    check(number, reply, url)


@pytest.mark.parametrize("number", [211, 423, 212])
def test_pages_that_are_not_the_api(number: int, secure: Client, plain: Client) -> None:
    reply, url = replay(number, "normal", secure, plain)

    check(number, reply, url)
    assert reply.text.startswith("<!DOCTYPE html>") or number == 423


def test_a_shop_that_comes_soon_has_an_api(secure: Client, plain: Client) -> None:
    reply, url = replay(431, "coming_soon", secure, plain)
    orders, _ = replay(430, "coming_soon", secure, plain)

    check(431, reply, url)
    assert "horizon" in reply.text
    assert orders.status == 200


@pytest.mark.parametrize("number", [462, 463])
def test_the_page_that_grants_keys(number: int, secure: Client) -> None:
    reply = secure.replay(recording(number))

    check(number, reply, secure.server.url)


@pytest.mark.parametrize("number", BROKEN)
def test_breakages_look_as_recorded(number: int, secure: Client) -> None:
    reply = secure.replay(recording(number))

    check(number, reply, secure.server.url, ("Location", "Retry-After"))
    if number > 439 and number < 444:
        assert reply.text == recording(number).text


@pytest.mark.parametrize("number", SPOILT)
def test_good_answers_are_spoilt_as_recorded(number: int, changing: Client) -> None:
    for shown in (recording(159).body, recording(341).request_json):
        shop_import.order(changing.server.state, shown)

    reply = changing.replay(recording(number))

    check(number, reply, changing.server.url, ("Link", "X-WP-Total")) if number > 445 else None
    assert (reply.status, reply.headers["X-WP-Total"]) == (200, recording(number).header("X-WP-Total"))
    if number == 445:
        assert recording(437).text.endswith(reply.text.partition("]")[0][-20:]) or reply.text in recording(437).text
    else:
        assert reply.text == recording(number).text


def test_php_that_is_gone_leaves_the_web_server_to_answer(secure: Client, plain: Client) -> None:
    reply, _ = replay(446, "php_down", secure, plain)

    assert (reply.status, reply.text) == (502, recording(446).text)


def test_a_shop_that_sends_everything_to_https(plain: Client) -> None:
    reply = plain.replay(recording(444))

    assert reply.status == 301
    assert reply.headers["Location"].startswith(plain.server.url.replace("http", "https") + "/wp-json/wc/v3/orders?")


def test_breakages_are_commanded_for_a_path_and_a_number_of_times(secure: Client) -> None:
    secure.server.shop_faults.add("fatal", path="/wp-json/wc/v3/customers", times=1)

    statuses = [secure.ask("GET", path).status for path in ("/coupons", "/customers", "/customers")]

    assert statuses == [200, 500, 200]
    with pytest.raises(ValueError, match="Unknown fault"):
        secure.server.shop_faults.add("meteor")


def test_an_unknown_mode_is_refused(secure: Client) -> None:
    with pytest.raises(ValueError, match="Unknown mode"):
        secure.server.mode = "asleep"


def test_a_shut_api_lets_nobody_in(secure: Client, plain: Client) -> None:
    reply, _ = replay(439, "rest_disabled", secure, plain)

    assert (reply.status, reply.json) == (401, recording(439).body)


def test_shared_faults_strike_the_shop_too(changing: Client) -> None:
    faults = changing.server.faults
    faults.status(429, retry_after=3, times=1)
    limited = changing.ask("GET", "/orders")
    faults.status(500, times=1)
    fatal = changing.ask("GET", "/orders")
    faults.wrong_credentials(times=1)
    anonymous = changing.ask("GET", "/orders")
    faults.api_disabled(times=1)
    shut = changing.ask("GET", "/orders")
    faults.basic_disabled(times=1)
    stripped = changing.ask("GET", "/orders")
    faults.down(times=1)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        changing.ask("GET", "/orders")

    assert (limited.status, limited.headers["Retry-After"], limited.text) == (429, "3", recording(441).text)
    assert fatal.text == recording(432).text
    assert anonymous.json == stripped.json == recording(167).body
    assert shut.json == recording(439).body
    assert changing.ask("GET", "/orders?per_page=1").status == 200


def test_a_batch_dies_in_the_middle_on_command(changing: Client) -> None:
    changing.server.faults.crash_after_rows(2, times=1)
    rows = [{"code": f"row{number}"} for number in range(4)]

    reply = changing.ask("POST", "/coupons/batch", {"create": rows})

    assert (reply.status, reply.json["code"]) == (500, recording(432).body["code"])
    codes = {entry["code"] for entry in changing.server.state.coupons.values()}
    assert {"row0", "row1"} <= codes
    assert "row2" not in codes


def test_a_limit_is_reached_after_so_many_calls(changing: Client) -> None:
    changing.server.faults.rate_limit(2)

    assert [changing.ask("GET", "/orders?per_page=1").status for _ in range(3)] == [200, 200, 429]


def test_every_row_costs_time_on_command(changing: Client) -> None:
    changing.server.faults.delay_per_record(0.01)

    began = time.monotonic()
    changing.ask("GET", "/orders?per_page=20&_fields=id")

    # Sleeping never takes less than was asked for, so a lower bound holds on any machine.
    assert time.monotonic() - began >= 0.2


def test_calls_are_counted(changing: Client) -> None:
    changing.ask("GET", "/orders?per_page=5")
    changing.ask("GET", "/coupons")

    assert changing.server.calls.count("/wp-json/wc/v3/orders") == 1
    assert changing.server.calls.rows("/wp-json/wc/v3/orders") == 5
