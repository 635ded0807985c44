"""The rows of reconciliations: started, leased for a slice, followed and ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.masking import mask_text
from integration.models.drift import Drift, Reconciled, Reconciliation
from integration.models.run import RunState
from integration.models.sql import swapped, upsert
from integration.pipeline.leases.tokens import alive
from integration.pipeline.services import Services

LEASE = timedelta(seconds=60)
KINDS = ("missing", "doubled", "differs", "surplus")
#: More than this is not a list for a person but a case for a full sync; the counts go on.
MOST_ROWS = 10_000
#: Rows of people met that are deleted in one transaction when they are needed no more.
PURGED_AT_ONCE = 5000


class ReconciliationGoing(IntegrationError):
    """A reconciliation of the connector is going already."""

    def __init__(self) -> None:
        super().__init__(
            "reconciliation_going",
            "A reconciliation of this connector is going already.",
            "Wait until it has ended, or cancel it first.",
        )


class Cancelled(Exception):
    """Somebody asked the reconciliation to stop."""


class Lost(Exception):
    """Another process has taken the reconciliation over."""


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
    """What one page gave: differences, people met in the store, how many were compared, and the cursor after it."""

    cursor: Mapping[str, Any]
    findings: Collection[Finding] = ()
    met: Collection[str] = ()
    checked: int = 0
    calls: int = 0


def start(services: Services, connector_id: int, trigger: str) -> int:
    """Ask for a reconciliation and return its id; raises ReconciliationGoing when one is going."""
    row = Reconciliation(
        connector_id=connector_id,
        trigger=trigger,
        state=RunState.PENDING,
        cursor={},
        created_at=services.clock.now(),
    )
    try:
        with services.db.write() as session:
            session.add(row)
            session.flush()
    except IntegrityError:
        raise ReconciliationGoing from None
    return row.id


def cancel(services: Services, connector_id: int, reconciliation_id: int) -> bool:
    """Ask a reconciliation to stop after its page; what it found stays. Return whether it was going."""
    now = services.clock.now()
    with services.db.write() as session:
        row = session.get(Reconciliation, reconciliation_id)
        if row is None or row.connector_id != connector_id or row.ended_at is not None:
            return False
        row.cancel_asked_at = now
        if _is_free(row, now):
            finish(row, now, RunState.CANCELLED)
        return True


def going(session: Session, connector_id: int) -> Reconciliation | None:
    """Return the connector's reconciliation that has not ended, None when there is none."""
    query = select(Reconciliation).where(Reconciliation.connector_id == connector_id, Reconciliation.ended_at.is_(None))
    return session.scalar(query)


def take(session: Session, now: datetime, token: str, passed: Collection[int] = ()) -> Reconciliation | None:
    """Lease a reconciliation that nobody works on and whose pause is over, None when there is none."""
    query = select(Reconciliation).where(Reconciliation.ended_at.is_(None), Reconciliation.id.not_in(passed))
    for row in session.scalars(query.order_by(Reconciliation.id).with_for_update(skip_locked=True)):
        if _is_free(row, now) and _is_due(row, now):
            row.lease_token, row.leased_until, row.state = token, now + LEASE, RunState.RUNNING
            return row
    return None


def _is_free(row: Reconciliation, now: datetime) -> bool:
    lost = row.leased_until is None or row.leased_until < now
    return row.lease_token is None or lost or not alive(row.lease_token)


def _is_due(row: Reconciliation, now: datetime) -> bool:
    pause = row.cursor.get("pause_until")
    return row.cancel_asked_at is not None or not pause or datetime.fromisoformat(pause) <= now


def renew(session: Session, now: datetime, reconciliation_id: int, token: str) -> bool:
    """Prolong the lease while something slow is waited for; False when it is lost."""
    kept = swapped(
        session,
        update(Reconciliation)
        .where(Reconciliation.id == reconciliation_id, Reconciliation.lease_token == token)
        .values(leased_until=now + LEASE),
    )
    return bool(kept)


def keep(session: Session, now: datetime, reconciliation_id: int, token: str) -> Reconciliation:
    """Return the leased row with its lease prolonged; raises Lost and Cancelled."""
    row = check(session, reconciliation_id, token, locked=True)
    row.leased_until = now + LEASE
    return row


def check(session: Session, reconciliation_id: int, token: str, *, locked: bool = False) -> Reconciliation:
    """Return the leased row as it is; raises Lost and Cancelled."""
    row = session.get(Reconciliation, reconciliation_id, with_for_update=locked)
    if row is None or row.lease_token != token or row.ended_at is not None:
        raise Lost
    if row.cancel_asked_at is not None:
        raise Cancelled
    return row


def note(session: Session, now: datetime, row: Reconciliation, step: Step) -> None:
    """Write what a page gave: findings, people met, counts and cursor stand or fall together."""
    fresh = _new(session, row, step.findings)
    room = MOST_ROWS - sum(getattr(row, kind) for kind in KINDS)
    if fresh[: max(room, 0)]:
        session.execute(insert(Drift), [_drift(now, row, each) for each in fresh[: max(room, 0)]])
    for kind in KINDS:
        setattr(row, kind, getattr(row, kind) + sum(each.kind == kind for each in fresh))
    _meet(session, row.id, step.met)
    row.checked += step.checked
    row.calls += step.calls
    row.cursor, row.error = dict(step.cursor), ""


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
        Reconciled.reconciliation_id == reconciliation_id, Reconciled.person_key.in_(list(person_keys))
    )
    return set(session.scalars(query))


def give_back(row: Reconciliation, *, sentence: str = "", cursor: Mapping[str, Any] | None = None) -> None:
    """Let the next tick go on; `sentence` says what is waited for."""
    row.lease_token, row.leased_until = None, None
    row.error = mask_text(sentence)
    row.cursor = dict(cursor) if cursor is not None else row.cursor


def finish(row: Reconciliation, now: datetime, state: RunState, error: str = "") -> None:
    """End a reconciliation; what it found stays."""
    row.state, row.ended_at, row.error = state, now, mask_text(error)
    row.lease_token, row.leased_until = None, None


def purge(services: Services) -> int:
    """Forget whom ended reconciliations have met, in small transactions; return how many rows went."""
    gone = 0
    while True:
        with services.db.read() as session:
            ended = select(Reconciliation.id).where(Reconciliation.ended_at.is_not(None))
            number = session.scalar(
                select(Reconciled.reconciliation_id).where(Reconciled.reconciliation_id.in_(ended)).limit(1)
            )
            person_keys = select(Reconciled.person_key).where(Reconciled.reconciliation_id == number)
            bound = session.scalar(person_keys.order_by(Reconciled.person_key).limit(1).offset(PURGED_AT_ONCE - 1))
        if number is None:
            return gone
        gone += _purge_part(services, number, bound)


def _purge_part(services: Services, reconciliation_id: int, bound: str | None) -> int:
    statement = delete(Reconciled).where(Reconciled.reconciliation_id == reconciliation_id)
    if bound is not None:
        statement = statement.where(Reconciled.person_key <= bound)
    with services.db.write() as session:
        return swapped(session, statement)
