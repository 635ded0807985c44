"""The guided set-up: what is typed is tried at once, wrong input is said at its field, it goes on where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from integration.models import Connector, Run
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person, both_have_answered, sign_in, text_of

NOBODY = "http://127.0.0.1:9"
#: Stands in a case for all credentials as they should be, but for those that the case names.
RIGHT = "right"
BASIC = {"mautic_method": "basic", "mautic_user": "ann"}
Read = Callable[[], Connector]


@pytest.fixture(scope="module")
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture(scope="module")
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def urls(store: StoreServer, mautic: MauticServer) -> dict[str, str]:
    return {"store": store.url, "mautic": mautic.url, "nobody": NOBODY}


@pytest.fixture
def number(admin: Person, urls: dict[str, str]) -> int:
    """A connector that has its two addresses, made on the page."""
    answer = admin.post("/setup", {"store_url": urls["store"], "mautic_url": urls["mautic"]})
    assert answer.location == "/connectors/1/setup#store"
    return 1


def key_of(store: StoreServer) -> dict[str, str]:
    return {"store_key": store.credentials.key, "store_secret": store.credentials.secret}


def client_of(mautic: MauticServer) -> dict[str, str]:
    known = mautic.credentials
    return {
        "mautic_method": "client_credentials",
        "mautic_client_id": known.client_id,
        "mautic_client_secret": known.client_secret,
    }


def states(page: str) -> list[str]:
    """The state of each stage, as its badge says it."""
    return re.findall(r'<h2 class="step-title".*?badge-\w+">(\w+)<', page, re.DOTALL)


def errors(page: str) -> dict[str, str]:
    return dict(re.findall(r'<p class="row-error" id="(\w+)-error">(.*?)</p>', page))


def all_connectors(services: Services) -> list[Connector]:
    with services.db.read() as session:
        return list(session.scalars(select(Connector)))


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


@pytest.mark.parametrize(
    ("side", "typed", "said"),
    [
        ("store", {}, {"store_key": "This is missing", "store_secret": "This is missing"}),
        ("store", {"store_key": "ck_alone"}, {"store_secret": "This is missing"}),
        ("store", {RIGHT: "", "store_secret": "cs_of-another-key"}, {"store_secret": "signature"}),
        ("store", {RIGHT: "", "store_key": "ck_of-another-shop"}, {"store_key": "does not know this consumer key"}),
        ("mautic", BASIC, {"mautic_password": "This is missing"}),
        ("mautic", {RIGHT: "", "mautic_client_secret": "guessed"}, {"mautic_client_id": "not know this client id"}),
        (
            "mautic",
            {"mautic_method": "basic", "mautic_user": "ann", "mautic_password": "guessed"},
            {"mautic_user": "refused"},
        ),
    ],
)
def test_credentials_that_do_not_work_are_said_at_their_field_and_not_kept(
    admin: Person,
    number: int,
    store: StoreServer,
    mautic: MauticServer,
    services: Services,
    side: str,
    typed: dict[str, str],
    said: dict[str, str],
) -> None:
    right = key_of(store) if side == "store" else client_of(mautic)
    given = {**(right if RIGHT in typed else {}), **typed}
    answer = admin.post(f"/connectors/{number}/setup/{side}", given)
    found = errors(answer.text)
    assert (answer.status_code, found.keys()) == (400, said.keys())
    assert all(words in found[field] for field, words in said.items())
    assert not any(value in answer.text for name, value in given.items() if name.endswith(("secret", "password")))
    [connector] = all_connectors(services)
    assert services.secrets(connector) == {}


def test_from_two_addresses_to_the_import(
    admin: Person, number: int, store: StoreServer, mautic: MauticServer, services: Services
) -> None:
    page = f"/connectors/{number}/setup"
    assert admin.post(f"{page}/store", key_of(store)).location == f"{page}#mautic"
    assert admin.post(f"{page}/mautic", client_of(mautic)).location == f"{page}#fields"
    shown = admin.get(page)
    assert "Mautic lets us in." in text_of(shown) and "without them those values are lost" not in text_of(shown)
    assert re.search(r"\d+ fields will be created: .*Woo total spent", text_of(shown))
    assert states(shown.text) == ["Done", "Done", "Done", "Now", "Later", "Later"]
    assert admin.post(f"{page}/fields").location == f"{page}#preview"
    shown = admin.get(page)
    assert f'data-live="/connectors/{number}/preview/orders"' in shown.text
    part = admin.get(f"/connectors/{number}/preview/orders", headers={"HX-Request": "true"})
    assert "Calls to Mautic" in text_of(part) and "<html" not in part.text
    answer = admin.post(f"/connectors/{number}/imports/start", {"page": "setup", "kind": "initial"})
    assert answer.location == f"{page}#import"
    assert states(admin.get(page).text) == ["Done", "Done", "Done", "Done", "Done", "Now"]


def test_an_import_that_was_cancelled_is_started_again(admin: Person, connector_id: int, services: Services) -> None:
    both_have_answered(services, connector_id)
    pairs.configure(services, connector_id, {"orders.enabled": False})
    with services.db.write() as session:
        session.get_one(Connector, connector_id).fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
    start = {"page": "setup", "kind": "initial"}
    admin.post(f"/connectors/{connector_id}/imports/start", start)
    admin.post(f"/connectors/{connector_id}/imports/cancel", {"page": "setup"})
    page = admin.get(f"/connectors/{connector_id}/setup")
    assert states(page.text)[-2:] == ["Now", "Later"]
    assert "Start the first import" in text_of(page) and "Resume" in text_of(page)


def test_the_first_contact_is_shown_with_its_page_in_mautic(
    viewer: Person, connector_id: int, services: Services
) -> None:
    now = services.clock.now()
    entries = [
        sync_log_writing.Entry(connector_id, now, "order", "7", "create_or_update", status="error"),
        sync_log_writing.Entry(connector_id, now, "customer", "12", "create_or_update", contact_id=345, person_key="p"),
        sync_log_writing.Entry(connector_id, now, "customer", "13", "create_or_update", contact_id=346),
    ]
    with services.db.write() as session:
        sync_log_writing.record(session, entries)
    page = viewer.get(f"/connectors/{connector_id}/setup")
    assert "Customer 12 is contact 345 in Mautic" in text_of(page)
    assert 'href="https://127.0.0.1:9/s/contacts/view/345"' in page.text
    part = viewer.get(f"/connectors/{connector_id}/setup", headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<li class="card step') and "contact 345" in part


def test_a_new_address_needs_its_own_credentials(
    admin: Person, connector_id: int, urls: dict[str, str], connector: Read
) -> None:
    typed = {"name": "Sunflower", "store_url": urls["store"], "mautic_url": "https://127.0.0.1:9"}
    answer = admin.post(f"/connectors/{connector_id}/setup/addresses", typed)
    assert "are for the present address" in errors(answer.text)["store_url"]
    assert connector().store_url == "https://127.0.0.1:9"


@pytest.mark.parametrize(("role", "forms", "starts"), [("viewer", 0, False), ("support", 0, True), ("admin", 3, True)])
def test_each_role_sees_what_it_may_do(
    app: Flask, connector_id: int, services: Services, role: str, forms: int, starts: bool
) -> None:
    both_have_answered(services, connector_id)
    pairs.configure(services, connector_id, {"orders.enabled": False})
    with services.db.write() as session:
        session.get_one(Connector, connector_id).fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
    page = sign_in(app, role).get(f"/connectors/{connector_id}/setup").text
    assert page.count('class="connection"') == forms
    assert ("Start the first import" in page) is starts


def test_mautic_is_asked_when_it_wants_a_person(
    admin: Person, number: int, mautic: MauticServer, services: Services
) -> None:
    typed = {**client_of(mautic), "mautic_method": "authorization_code"}
    page = text_of(admin.post(f"/connectors/{number}/setup/mautic", typed, follow_redirects=True))
    assert "Now let Mautic ask you." in page and "Authorise in Mautic" in page
    asked = f"/connectors/{number}/connection/mautic-sign-in?to=setup"
    assert f'href="{asked}"' in admin.get(f"/connectors/{number}/setup").text
    admin.get(asked)
    with admin.client.session_transaction() as cookie:
        state = cookie["mautic_state"][0]
    answer = admin.get("/oauth/mautic/callback", query_string={"state": state, "error": "access_denied"})
    assert answer.location == f"/connectors/{number}/setup#mautic"


def test_the_key_that_the_store_hands_over_is_tried_on_the_way_back(
    make_app: Callable[..., Flask], number: int, store: StoreServer, services: Services
) -> None:
    person = sign_in(make_app(public_url="https://sync.example.com"), "admin")
    page = person.get("/connectors/1/setup").text
    assert 'href="/connectors/1/connection/store-key?to=setup"' in page
    away = person.get("/connectors/1/connection/store-key?to=setup").location
    assert "store-key%2Fback%3Fto%3Dsetup" in away
    pairs.connect(services, number, **key_of(store))
    answer = person.get("/connectors/1/connection/store-key/back?to=setup&success=1&user_id=x")
    assert answer.location == "/connectors/1/setup#store"
    assert states(person.get("/connectors/1/setup").text)[:3] == ["Done", "Done", "Now"]


def test_a_demo_that_is_connected_shows_all_as_done(
    admin: Person, connector_id: int, services: Services, runs: Any
) -> None:
    both_have_answered(services, connector_id)
    pairs.configure(services, connector_id, {"orders.enabled": False})
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.is_demo, row.initial_done_at = True, services.clock.now()
        row.fields = [{"alias": "email", "type": "email", "label": "E-mail"}]
    page = admin.get(f"/connectors/{connector_id}/setup")
    assert states(page.text) == ["Done"] * 6
    assert "From now on all goes by itself." in text_of(page)
    assert runs() == []


@pytest.fixture
def runs(services: Services) -> Callable[[], list[Run]]:
    def read() -> list[Run]:
        with services.db.read() as session:
            return list(session.scalars(select(Run)))

    return read


TABS = {
    "connection": "Connection",
    "contacts": "Contact Sync",
    "orders": "Order Sync",
    "carts": "Abandoned Cart",
    "fields": "Mautic Fields",
    "tools": "Tools",
}


@pytest.mark.parametrize("path", TABS)
def test_each_tab_says_once_what_it_is_for(viewer: Person, connector_id: int, path: str) -> None:
    page = viewer.get(f"/connectors/{connector_id}/{path}").text
    [said] = re.findall(r'<details class="help"><summary>What is this\?</summary>(.*?)</details>', page, re.DOTALL)
    assert said.count("<p>") >= 2
    assert re.search(rf'aria-current="page">{TABS[path]}</a>', page)


@pytest.mark.parametrize("path", ["runs", "consents/list", "tools/log"])
def test_lists_begin_without_it(viewer: Person, connector_id: int, path: str) -> None:
    assert "What is this?" not in viewer.get(f"/connectors/{connector_id}/{path}").text
