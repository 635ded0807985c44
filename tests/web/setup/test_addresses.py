"""The guided set-up's addresses: tried at once, wrong ones are said at their field."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.models import Connector
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of
from tests.web.setup.conftest import NOBODY, all_connectors, errors, states

Read = Callable[[], Connector]


@pytest.mark.parametrize(
    ("store_url", "mautic_url", "said"),
    [
        ("", "mautic", {"store_url": "this is missing"}),
        ("", "", {"store_url": "this is missing", "mautic_url": "this is missing"}),
        ("mautic", "mautic", {"store_url": "This address is a Mautic, not a store."}),
        ("mautic", "store", {"store_url": "is a Mautic", "mautic_url": "is a WordPress"}),
        ("store", "nobody", {"mautic_url": "refuses the connection"}),
        ("store", "not an address", {"mautic_url": "is not a web address"}),
        ("http://[", "mautic", {"store_url": "is not a web address"}),
        ("ftp://shop.example", "mautic", {"store_url": "is not a web address"}),
    ],
)
def test_a_wrong_address_is_said_at_its_field_and_kept(
    admin: Person, urls: dict[str, str], services: Services, store_url: str, mautic_url: str, said: dict[str, str]
) -> None:
    typed = {"store_url": urls.get(store_url, store_url), "mautic_url": urls.get(mautic_url, mautic_url)}
    answer = admin.post("/setup", {"name": "My <shop>", **typed})
    found = errors(answer.text)
    assert (answer.status_code, found.keys()) == (400, said.keys())
    assert all(words in found[field] for field, words in said.items())
    assert all(f'value="{value}"' in answer.text for value in ("My &lt;shop&gt;", *filter(None, typed.values())))
    assert all_connectors(services) == []


def test_a_connector_gets_the_name_of_the_shop_and_goes_on_with_the_key(
    admin: Person, number: int, services: Services, audit_of: Callable
) -> None:
    [made] = all_connectors(services)
    assert [entry.entity for entry in audit_of("CREATED")] == [f"connector {made.name}"]
    page = admin.get(f"/connectors/{number}/setup").text
    assert f"This is the WordPress site “{made.name}”" in page
    assert states(page) == ["Done", "Now", "Later", "Later", "Later", "Later"]


def test_addresses_where_nobody_answers_are_kept_if_so_wanted(admin: Person, services: Services) -> None:
    typed = {"store_url": NOBODY, "mautic_url": NOBODY}
    assert "Keep them all the same" in text_of(admin.post("/setup", typed))
    assert admin.post("/setup", {**typed, "anyway": "1"}).location == "/connectors/1/setup#store"
    [made] = all_connectors(services)
    assert (made.name, made.store_url) == ("127.0.0.1:9", NOBODY)
    assert admin.post("/setup", {"store_url": "nonsense", "mautic_url": NOBODY, "anyway": "1"}).status_code == 400


def test_the_same_two_are_not_paired_twice(
    admin: Person, stranger: Person, number: int, urls: dict[str, str], services: Services
) -> None:
    typed = {"store_url": urls["store"] + "/", "mautic_url": urls["mautic"]}
    assert "pairs this store with this Mautic" in errors(admin.post("/setup", typed).text)["store_url"]
    assert admin.post(f"/connectors/{number}/setup/addresses", {**typed, "name": "New name"}).status_code == 302
    assert [each.name for each in all_connectors(services)] == ["New name"]
    assert stranger.post("/setup", typed).status_code == 302


def test_a_new_address_needs_its_own_credentials(
    admin: Person, connector_id: int, urls: dict[str, str], connector: Read
) -> None:
    typed = {"name": "Sunflower", "store_url": urls["store"], "mautic_url": "https://127.0.0.1:9"}
    answer = admin.post(f"/connectors/{connector_id}/setup/addresses", typed)
    assert "are for the present address" in errors(answer.text)["store_url"]
    assert connector().store_url == "https://127.0.0.1:9"
