"""Fields besides the e-mail that identify contacts, as recordings 296 to 299 show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mautic_api import Api, api_of

from integration.sandbox.mautic import MauticServer

NEW = "/api/contacts/new"
BATCH = "/api/contacts/batch/new"
EDIT = "/api/contacts/batch/edit"
ANNA = {"email": "anna@example.com", "firstname": "Anna", "phone": "+49 1"}
BERT = {"email": "bert@example.com", "firstname": "Bert", "phone": "+49 1"}


@pytest.fixture(params=["5.2.1", "7.0.0"])
def server(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    """Run an empty Mautic of either version."""
    with MauticServer(version=request.param) as running:
        yield running


@pytest.fixture
def api(server: MauticServer) -> Api:
    """Call the server as the administrator."""
    return api_of(server)


def by_edit_of_the_field(server: MauticServer, api: Api) -> None:
    number = server.state.by_alias["phone"]["id"]
    answer = api("PATCH", f"/api/fields/contact/{number}/edit", json={"isUniqueIdentifier": True})
    assert answer.json()["field"]["isUniqueIdentifier"] is True


def by_seed(server: MauticServer, api: Api) -> None:
    server.state.make_unique("phone")


@pytest.mark.parametrize("make", [by_edit_of_the_field, by_seed])
@pytest.mark.parametrize("path", [NEW, BATCH])
def test_annas_phone_makes_bert_of_her(server: MauticServer, api: Api, path: str, make: Any) -> None:
    """Either value finds the contact, and what was sent overwrites it, the e-mail too."""
    api("POST", NEW, json=ANNA)
    make(server, api)
    api("POST", path, json=BERT if path == NEW else [BERT])
    (only,) = server.state.contacts.values()
    assert (only.id, only.values["firstname"], only.email) == (1, "Bert", "bert@example.com")


def test_without_the_mark_they_are_two(server: MauticServer, api: Api) -> None:
    """A phone that identifies nobody leaves Anna alone."""
    server.state.make_unique("phone")
    server.state.make_unique("phone", False)
    for row in (ANNA, BERT):
        assert api("POST", NEW, json=row).status_code == 201


def test_a_field_may_be_made_unique(server: MauticServer, api: Api) -> None:
    """An own field identifies from its creation on, by letter case as little as the e-mail does."""
    api("POST", "/api/fields/contact/new", json={"label": "Shop id", "alias": "shop_id", "isUniqueIdentifier": True})
    api("POST", NEW, json={"email": "a@example.com", "shop_id": "K-1"})
    answer = api("POST", BATCH, json=[{"email": "b@example.com", "shop_id": "\u200bk-1 "}])
    assert answer.json()["statusCodes"] == [200]
    assert server.state.contacts[1].email == "b@example.com"


def test_values_of_two_people_are_refused(server: MauticServer, api: Api) -> None:
    """One's e-mail with the other's phone fits neither: 422, and nothing changes."""
    server.state.make_unique("phone")
    for row in (ANNA, {**BERT, "phone": "+49 2"}):
        api("POST", NEW, json=row)
    answer = api("POST", BATCH, json=[{"email": "bert@example.com", "phone": "+49 1", "firstname": "X"}])
    assert answer.json()["statusCodes"] == [422]
    assert [each.values["firstname"] for each in server.state.contacts.values()] == ["Anna", "Bert"]


def test_anothers_unique_value_is_refused_by_id(server: MauticServer, api: Api) -> None:
    """PATCH, single and in a batch, names the field."""
    server.state.make_unique("phone")
    for row in (ANNA, {**BERT, "phone": "+49 2"}):
        api("POST", NEW, json=row)
    single = api("PATCH", "/api/contacts/2/edit", json={"phone": "+49 1"})
    many = api("PATCH", EDIT, json=[{"id": 2, "phone": "+49 1"}, {"id": 1, "city": "Ulm"}])
    assert single.status_code == 422
    assert single.json()["errors"][0]["details"] == {"phone": ["This field must be unique."]}
    assert many.json()["statusCodes"] == [422, 200]
    assert server.state.contacts[2].values["phone"] == "+49 2"
