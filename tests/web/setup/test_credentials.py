"""The guided set-up's credentials: tried at once, what does not work is said at its field and not kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person, sign_in, text_of
from tests.web.setup.conftest import all_connectors, client_of, errors, key_of, states

#: Stands in a case for all credentials as they should be, but for those that the case names.
RIGHT = "right"
BASIC = {"mautic_method": "basic", "mautic_user": "ann"}


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
