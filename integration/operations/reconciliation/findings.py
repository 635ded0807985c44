"""What a reconciliation finds: the rows of drift, the people it has met, and its figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, insert, select
from sqlalchemy.orm import Session, aliased

from integration.models.drift import Drift, Reconciled, Reconciliation
from integration.models.membership import among
from integration.models.run import RunState
from integration.models.sql import swapped, upsert
from integration.operations.reconciliation import agreed
from integration.pipeline.runs.lifecycle import FORGOTTEN
from integration.pipeline.services import Services

KINDS = ("missing", "doubled", "differs", "surplus")
#: More rows are not a list for a person but a case for a full sync; the counts go on.
ROWS_MAX = 10_000
#: Rows of people met that are deleted in one transaction when they are needed no more.
PURGED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference before it is a row; the columns are those of models.Drift."""

    kind: str
    person_key: str
    sentence: str
    source_kind: str = ""
    source_id: str = ""
    contact_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What one page gave: differences, people met in the store, how many were looked at, and where to go on.

    `stamps` are those of people to be known again (agreed.py).
    """

    phase: str
    place: Any = None
    findings: Collection[Finding] = ()
    met: Collection[str] = ()
    checked: int = 0
    stamps: Mapping[str, str] = field(default_factory=dict)


def note(session: Session, now: datetime, row: Reconciliation, step: Step) -> int:
    """Write what a page gave and return how many differences are new; rows, people met, figures and cursor are one."""
    fresh = _new(session, row, step.findings)
    room = ROWS_MAX - sum(getattr(row, kind) for kind in KINDS)
    if fresh[: max(room, 0)]:
        session.execute(insert(Drift), [_drift(now, row, each) for each in fresh[: max(room, 0)]])
    for kind in KINDS:
        setattr(row, kind, getattr(row, kind) + sum(each.kind == kind for each in fresh))
    _meet(session, row.id, step.met)
    agreed.keep(session, row.connector_id, step.stamps)
    row.pulled += step.checked
    row.skipped += step.checked - len(fresh)
    row.phase, row.cursor = step.phase, {} if step.place is None else {"place": step.place}
    row.error, row.tries = "", 0
    return len(fresh)


def _new(session: Session, row: Reconciliation, findings: Iterable[Finding]) -> list[Finding]:
    by_key = {each.person_key: each for each in findings}
    query = select(Drift.person_key).where(Drift.reconciliation_id == row.id, Drift.person_key.in_(list(by_key)))
    known = set(session.scalars(query)) if by_key else set()
    return [each for person_key, each in by_key.items() if person_key not in known]


def _drift(now: datetime, row: Reconciliation, finding: Finding) -> dict[str, Any]:
    return {
        "reconciliation_id": row.id,
        "connector_id": row.connector_id,
        "kind": finding.kind,
        "person_key": finding.person_key,
        "source_kind": finding.source_kind,
        "source_id": finding.source_id,
        "contact_id": finding.contact_id,
        "detail": dict(finding.detail),
        "sentence": finding.sentence,
        "found_at": now,
    }


def _meet(session: Session, reconciliation_id: int, person_keys: Collection[str]) -> None:
    rows = [{"reconciliation_id": reconciliation_id, "person_key": key} for key in sorted(set(person_keys))]
    upsert(session, Reconciled, rows)


def met(session: Session, reconciliation_id: int, person_keys: Iterable[str]) -> set[str]:
    """Return which of these people were met in the store already."""
    query = select(Reconciled.person_key).where(
        Reconciled.reconciliation_id == reconciliation_id, among(Reconciled.person_key, list(person_keys))
    )
    return set(session.scalars(query))


def purge(services: Services) -> int:
    """Forget whom reconciliations have met that cannot go on, in small transactions; return how many rows went."""
    gone = 0
    while True:
        with services.db.write() as session:
            row = session.scalar(select(Reconciliation).where(Reconciliation.id.in_(_over())).limit(1))
            if row is None:
                return gone
            # From now on it cannot be resumed, so that nobody goes on with half of the people.
            row.cursor = {**row.cursor, FORGOTTEN: True}
            person_keys = select(Reconciled.person_key).where(Reconciled.reconciliation_id == row.id)
            bound = session.scalar(person_keys.order_by(Reconciled.person_key).limit(1).offset(PURGED_AT_ONCE - 1))
            number = row.id
        gone += _purge_part(services, number, bound)


def _over() -> Select[tuple[int]]:
    """Return the ids of those that have ended and still know whom they met.

    The newest of a connector, if it failed, is left out: it may be resumed.
    """
    later = aliased(Reconciliation, flat=True)
    overtaken = exists().where(later.connector_id == Reconciliation.connector_id, later.id > Reconciliation.id)
    failed = Reconciliation.state == RunState.FAILED
    knows = exists().where(Reconciled.reconciliation_id == Reconciliation.id)
    return select(Reconciliation.id).where(Reconciliation.ended_at.is_not(None), knows, ~failed | overtaken)


def _purge_part(services: Services, reconciliation_id: int, bound: str | None) -> int:
    statement = delete(Reconciled).where(Reconciled.reconciliation_id == reconciliation_id)
    if bound is not None:
        statement = statement.where(Reconciled.person_key <= bound)
    with services.db.write() as session:
        return swapped(session, statement)
