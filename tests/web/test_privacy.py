"""The Privacy page and the API's part: a person is erased by address, and a receipt proves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import AuditEntry, BlockedAddress, Delivery, Erasure
from integration.operations import erasure
from integration.operations.identity import tokens
from integration.pipeline.services import Services
from tests.web.conftest import Person, Settle, text_of

EMAIL = "bob@example.com"
FORM = {"email": EMAIL, "connector": "all", "in_mautic": "keep"}


def receipts(services: Services) -> list[Erasure]:
    with services.db.read() as session:
        return list(session.scalars(select(Erasure).order_by(Erasure.id)))


def test_it_is_counted_asked_done_and_proved(
    admin: Person, services: Services, record: Settle, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    record(1, "dead", EMAIL, category="record", error_code="REJECTED")
    looked = admin.post("/privacy/look", {**FORM, "email": " Bob@Example.COM "})
    said = text_of(looked)
    assert "Records 1" in said and "all connectors" in said and receipts(services) == []
    answer = admin.post("/privacy", FORM, follow_redirects=True)
    assert "The erasure is going on." in text_of(answer)
    (row,) = receipts(services)
    assert erasure.tick(services) == 1
    page = text_of(admin.get(f"/privacy/receipts/{row.receipt}"))
    assert "The person is erased." in page and "Records 1" in page and EMAIL not in page
    with services.db.read() as session:
        assert session.scalars(select(Delivery)).all() == []
    entry = audit_of("ERASURE_ASKED")[-1]
    assert entry.actor == "admin@example.com" and EMAIL not in f"{entry.entity} {entry.diff}"
    assert audit_of("ERASED")
    assert row.receipt[:8] in text_of(admin.get("/privacy"))


@pytest.mark.parametrize("form", ["txt", "json"])
def test_the_receipt_is_downloaded_without_the_person(admin: Person, services: Services, form: str) -> None:
    admin.post("/privacy", FORM)
    (row,) = receipts(services)
    answer = admin.get(f"/privacy/receipts/{row.receipt}/receipt.{form}")
    assert row.address_hash in answer.text and "bob" not in answer.text
    assert row.receipt in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ({"email": "bob"}, "That is no e-mail address."),
        ({"email": ""}, "That is no e-mail address."),
        ({"connector": ""}, "Say where the person is erased."),
        ({"connector": "99"}, "There is no connector 99."),
        ({"in_mautic": "burn"}, "Say what becomes of the contact in Mautic."),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_done(
    admin: Person, services: Services, typed: dict[str, str], named: str
) -> None:
    for place in ("/privacy/look", "/privacy"):
        answer = admin.post(place, FORM | typed)
        assert (answer.status_code, named in text_of(answer)) == (400, True)
    assert receipts(services) == []


def test_only_administrators_of_the_organisation_do_and_see_it(
    admin: Person, support: Person, stranger: Person, services: Services
) -> None:
    admin.post("/privacy", FORM)
    (row,) = receipts(services)
    assert support.get("/privacy").status_code == support.post("/privacy", FORM).status_code == 403
    assert stranger.get(f"/privacy/receipts/{row.receipt}").status_code in (403, 404)


def test_the_same_person_is_not_erased_twice_at_once(admin: Person, services: Services) -> None:
    admin.post("/privacy", FORM)
    answer = admin.post("/privacy", {**FORM, "email": EMAIL.upper()})
    assert (answer.status_code, "being erased already" in text_of(answer)) == (400, True)
    assert len(receipts(services)) == 1


def test_a_blocked_address_is_kept_as_a_hash_and_taken_up_again(
    admin: Person, services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    admin.post("/privacy", {**FORM, "block": "1"})
    with services.db.read() as session:
        (kept,) = session.scalars(select(BlockedAddress))
        assert "bob" not in kept.person_key
    assert "not blocked" in text_of(admin.post("/privacy/unblock", {"email": "x@y.z"}, follow_redirects=True))
    again = admin.post("/privacy/unblock", {"email": EMAIL.upper()}, follow_redirects=True)
    assert "taken up again" in text_of(again)
    assert EMAIL not in str(audit_of("UNBLOCKED")[-1].diff)
    with services.db.read() as session:
        assert session.scalars(select(BlockedAddress)).all() == []


@pytest.fixture
def call(admin: Person, services: Services) -> Callable[..., Any]:
    """Calls the API with a token that may erase, or with the scopes given."""

    def do(method: str, path: str, *scopes: str, **kwargs: Any) -> Any:
        made = tokens.make(services, 1, f"T{len(path)}{method}{scopes}", scopes or ["erase"], "admin@example.com")
        headers = {"Authorization": f"Bearer {made.secret}"}
        return admin.client.open(f"/api/v1/erasures{path}", method=method, headers=headers, **kwargs)

    return do


def test_a_program_erases_and_reads_the_receipt(call: Callable[..., Any], services: Services) -> None:
    asked = call("POST", "", json={"email": EMAIL, "in_mautic": "keep", "block": True})
    assert asked.status_code == 202
    assert erasure.tick(services) == 1
    read = call("GET", f"/{asked.json['erasure']}").json
    assert (read["state"], read["blocked"], read["asked_by"][:4]) == ("done", True, "API:")


def test_a_program_without_the_scope_or_with_half_a_question_is_refused(
    call: Callable[..., Any], services: Services
) -> None:
    body = {"email": EMAIL, "in_mautic": "keep"}
    assert call("POST", "", "runs", json=body).status_code == 403
    assert call("POST", "", json={"email": EMAIL}).json["error"] == "in_mautic"
    wrong = call("POST", "", "erase", "logs", json={**body, "email": "nobody"})
    assert (wrong.status_code, wrong.json["error"]) == (422, "email")
    assert call("POST", "", "erase", "runs", json={**body, "connector_id": 99}).status_code == 404
    assert call("GET", "/99").status_code == 404
    assert receipts(services) == []
