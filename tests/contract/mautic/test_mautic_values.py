"""What becomes of values: numbers below one, blanks that empty, what is trimmed; alike in both versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st
from mautic_api import Api, api_of

from integration.sandbox.mautic import MauticServer, php_format

NEW = "/api/contacts/new"
EDIT = "/api/contacts/batch/edit"
KINDS = ("number", "url", "html", "textarea", "text", "date", "datetime")
FILLED = {
    "f_number": 12.5,
    "f_url": "https://s.example/x",
    "f_html": "<p>x</p>",
    "f_textarea": "long",
    "f_text": "short",
    "f_date": "2026-01-02",
    "f_datetime": "2026-01-02 10:11:00",
}
MARKS = "\u202b\u200f\u200b\ufeff\u00a0"


@pytest.fixture(params=["5.2.1", "7.0.0"])
def server(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    """Run a Mautic of either version with a field of each kind."""
    with MauticServer(version=request.param) as running:
        for kind in KINDS:
            sent = {"label": f"f_{kind}", "alias": f"f_{kind}", "type": kind}
            api_of(running)("POST", "/api/fields/contact/new", json=sent)
        yield running


@pytest.fixture
def api(server: MauticServer) -> Api:
    """Call the server as the administrator."""
    return api_of(server)


def held(server: MauticServer) -> dict[str, Any]:
    """Return what is kept of the only contact."""
    (only,) = server.state.contacts.values()
    return {alias: value for alias, value in only.values.items() if alias != "email"}


@pytest.mark.parametrize("blank", ["", None])
def test_blanks_in_a_row_of_a_batch_empty_all_but_dates(server: MauticServer, api: Api, blank: str | None) -> None:
    """What was not sent stays, and so do dates."""
    api("POST", NEW, json={"email": "a@example.com", "city": "Ulm", **FILLED})
    row = {"id": 1, "overwriteWithBlank": True, **dict.fromkeys(FILLED, blank)}
    assert api("PATCH", EDIT, json=[row]).json()["statusCodes"] == [200]
    assert held(server) == {"city": "Ulm", "f_date": "2026-01-02", "f_datetime": "2026-01-02 10:11:00"}


def test_only_what_was_sent_blank_is_emptied(server: MauticServer, api: Api) -> None:
    """Without the mark nothing is; with it, by PATCH of one contact, the one field."""
    api("POST", NEW, json={"email": "a@example.com", **FILLED})
    api("PATCH", EDIT, json=[{"id": 1, "f_text": ""}])
    assert held(server) == FILLED
    api("PATCH", "/api/contacts/1/edit", json={"f_number": "", "overwriteWithBlank": True})
    assert held(server) == {alias: value for alias, value in FILLED.items() if alias != "f_number"}


@pytest.mark.parametrize(("sent", "new", "known"), [(0.02, 0.02, 7), ("0.5", 0.5, 7), (0, None, 7), (2, 2, 2)])
def test_numbers_below_one(server: MauticServer, api: Api, sent: Any, new: Any, known: Any) -> None:
    """A new contact takes them, a known one keeps what it had, even with overwriteWithBlank."""
    api("POST", NEW, json={"email": "a@example.com", "f_number": sent})
    assert held(server).get("f_number") == new
    api("PATCH", "/api/contacts/1/edit", json={"f_number": 7})
    api("PATCH", "/api/contacts/1/edit", json={"f_number": sent, "overwriteWithBlank": True})
    assert held(server)["f_number"] == known


def test_format_characters_are_trimmed_at_the_ends(server: MauticServer, api: Api) -> None:
    """Inside they stay; a value of nothing else is blank."""
    api("POST", NEW, json={"email": "a@example.com", "city": f"{MARKS}U\u200blm{MARKS}", "f_text": MARKS})
    assert held(server) == {"city": "U\u200blm"}


@given(st.text())
def test_trimming_once_is_enough(value: str) -> None:
    """It never takes from the middle."""
    trimmed = php_format.trim(value)
    assert php_format.trim(trimmed) == trimmed
    assert trimmed in value
