"""The Storage page: rows, sizes, and for how long they are kept."""

from __future__ import annotations

from collections.abc import Callable

from integration.clock import SetClock
from integration.models import AuditEntry, Run
from integration.operations.retention import files
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.web.conftest import Person, Settle, text_of, version

KEPT = {"success": "90", "errors": "180", "deliveries": "90", "runs": "90", "audit": "730", "payload_hours": "24"}
USUAL = {f"keep.{name}": days for name, days in KEPT.items()}


def test_an_administrator_sees_rows_and_changes_how_long_they_stay(
    admin: Person, record: Settle, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    record(1, result="created", contact_id=7)
    assert "Records with their attempts 1 Records and their attempts: 90 days" in text_of(admin.get("/storage"))
    assert "Saved." in text_of(admin.post("/storage", {**USUAL, "keep.deliveries": "30"}, follow_redirects=True))
    assert audit_of("UPDATED")[-1].diff == {"deliveries": [90, 30]}
    assert "attempts: 30 days" in text_of(admin.get("/storage"))


def test_a_number_that_makes_no_sense_is_named_at_its_field(admin: Person) -> None:
    answer = admin.post("/storage", {**USUAL, "keep.audit": "for ever"})
    assert answer.status_code == 400
    assert "“for ever” is no number of days or hours." in text_of(answer)
    assert 'value="for ever"' in answer.text


def test_each_of_two_wrong_numbers_is_named_at_its_field(admin: Person) -> None:
    text = text_of(admin.post("/storage", {**USUAL, "keep.audit": "for ever", "keep.runs": "0"}))
    assert "“for ever” is no number of days or hours." in text
    assert "“0” is no number of days or hours." in text


def test_the_second_of_two_people_is_told(admin: Person, super_admin: Person) -> None:
    loaded = version(super_admin.get("/storage"))
    admin.post("/storage", {**USUAL, "keep.audit": "100"})
    answer = super_admin.post("/storage", {**USUAL, "keep.audit": "200", **loaded})
    assert answer.status_code == 409
    assert "Somebody has changed “Audit log (days)” meanwhile; it is “100” now." in text_of(answer)
    assert super_admin.post("/storage", {**USUAL, "keep.audit": "200", **version(answer)}).status_code == 302


def test_only_a_super_admin_sees_the_whole_installation(admin: Person, super_admin: Person, support: Person) -> None:
    assert "On disk" not in text_of(admin.get("/storage"))
    assert "On disk, all organisations Database" in text_of(super_admin.get("/storage"))
    assert support.get("/storage").status_code == 403


def test_an_organisation_counts_its_own_rows_only(stranger: Person, record: Settle) -> None:
    record(1, result="created", contact_id=7)
    assert "Records with their attempts 0" in text_of(stranger.get("/storage"))


def test_payload_files_stay_as_many_hours_as_the_organisation_wants(
    admin: Person, services: Services, connector_id: int, clock: SetClock
) -> None:
    admin.post("/storage", {**USUAL, "keep.payload_hours": "2"})
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
    payload_files.store(services, run, "pull", "Page 1", [1])
    cancelling.cancel(services, run_id)
    clock.advance(minutes=90)
    assert files.prune(services) == 0
    clock.advance(minutes=60)
    assert files.prune(services) == 1
