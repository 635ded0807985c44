"""Partial successes on the pages: what is missing is sent again, of one record or of a run, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.models import AuditEntry, Delivery, Run
from integration.pipeline.services import Services
from tests.web.conftest import Person, Settle, text_of


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/records"


IN_PART = {"result": "created", "contact_id": 7, "partial": True, "error_code": "not_sent", "message": "Not sent."}


def test_a_partial_success_is_sent_again_from_its_page(
    viewer: Person,
    support: Person,
    page: str,
    services: Services,
    record: Settle,
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    key, whole = record(102, **IN_PART), record(101, result="created", contact_id=7)
    assert "Send again what is missing" in text_of(support.get(f"{page}/{key}"))
    assert "Send again what is missing" not in text_of(viewer.get(f"{page}/{key}"))
    assert "Send again" not in text_of(support.get(f"{page}/{whole}"))
    assert viewer.post(f"{page}/{key}/retry").status_code == 403
    assert "is sent again" in text_of(support.post(f"{page}/{key}/retry", follow_redirects=True))
    assert "Send again what is missing" not in text_of(support.get(f"{page}/{key}")), "it is on its way"
    with services.db.read() as session:
        row = session.get_one(Delivery, key)
    assert (row.state, row.partial, row.result) == ("ready", False, "created")
    assert [entry.entity for entry in audit_of("REPLAYED")] == [f"order 102 (record {key})"]


def in_run(services: Services, connector_id: int, keys: list[int]) -> int:
    """A run that has ended and wrote these records in part."""
    with services.db.write() as session:
        run = Run(connector_id=connector_id, kind="full", state="COMPLETED", trigger="test", partial=len(keys))
        run.created_at = run.ended_at = services.clock.now()
        session.add(run)
        session.flush()
        for key in keys:
            session.get_one(Delivery, key).run_id = run.id
        return run.id


def test_the_partial_successes_of_a_run_are_sent_again_and_no_others(
    viewer: Person,
    support: Person,
    page: str,
    services: Services,
    connector_id: int,
    record: Settle,
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    mine, other = record(102, **IN_PART), record(103, email="bob@example.com", **IN_PART)
    run_id = in_run(services, connector_id, [mine])
    shown = support.get(f"/connectors/{connector_id}/runs/{run_id}")
    assert f"/records?status=partial&amp;run={run_id}" in shown.text
    for answer in (shown, support.get(f"{page}?status=partial&run={run_id}")):
        form = re.search(r'action="[^"]+/records/complete".*?</form>', answer.text, re.DOTALL)
        assert form is not None
        values = dict(re.findall(r'name="(status|run)" value="(\w+)"', form[0]))
        assert values == {"status": "partial", "run": str(run_id)}
    assert "Send again what is missing" not in viewer.get(f"/connectors/{connector_id}/runs/{run_id}").text
    assert viewer.post(f"{page}/complete", values).status_code == 403
    support.post(f"{page}/complete", values)
    with services.db.read() as session:
        newest = session.scalars(select(Run).order_by(Run.id.desc()).limit(1)).one()
    assert (newest.kind, newest.options) == ("replay", {"act": "replay", "ids": [mine]}), other
    assert audit_of("REPLAYED")[0].diff == {"records": [0, 1]}


@pytest.mark.parametrize(
    "form", [{}, {"status": ""}, {"status": "failed"}, {"run": "1"}, {"status": "partial", "x": "1"}]
)
def test_sending_again_without_saying_what_changes_nothing(
    support: Person, page: str, services: Services, record: Settle, form: dict[str, str]
) -> None:
    record(102, **IN_PART)
    assert support.post(f"{page}/complete", form).status_code == 400
    with services.db.read() as session:
        assert session.scalar(select(Run.id)) is None


def test_nothing_that_lacks_anything_is_said(support: Person, page: str, record: Settle) -> None:
    record(101, result="created", contact_id=7)
    answer = support.post(f"{page}/complete", {"status": "partial", "run": "77"}, follow_redirects=True)
    assert "No record lacks anything any more." in text_of(answer)
