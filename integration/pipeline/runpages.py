"""Reads runs for the pages: the list, the lines of one, its records (C3, C4, C5, C10)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.run import Run
from integration.models.run import RunKind
from integration.models.run import RunLine
from integration.models.run import RunState
from integration.pipeline import outbox
from integration.pipeline.recordquery import Arguments
from integration.pipeline.statuses import status_of

KINDS = {
    RunKind.INITIAL.value: "Initial import",
    RunKind.FULL.value: "Full sync",
    RunKind.INCREMENTAL.value: "Incremental",
    RunKind.BULK.value: "Bulk",
    RunKind.REPLAY.value: "Replay",
}
STATES = {state.value: state.value.capitalize() for state in RunState}
LEVELS = {"info": "All lines", "warning": "Warnings and errors", "error": "Errors"}
SHOWN = 50
LINES = 300
ENTITIES = 100
_FROM = {"warning": ("warning", "error"), "error": ("error",)}


@dataclass(frozen=True)
class RunQuery:
    """Runs of one connector, newest first, from before the id `before`; dates are days of the site's zone."""

    connector_id: int
    kind: str = ""
    state: str = ""
    trigger: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0
    raw: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, str], zone: str = "UTC") -> tuple[RunQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        read = Arguments(args, zone)
        query = cls(
            connector_id,
            kind=read.one_of("kind", KINDS),
            state=read.one_of("state", STATES),
            trigger=read.text("trigger"),
            since=read.moment("since"),
            until=read.moment("until"),
            before=read.number("before", 0, 0, 2**62),
            raw=read.used,
        )
        return query, read.notices

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return what stands in the URL of this query, with changes."""
        values: dict[str, Any] = {**(self.raw or {}), **changes}
        return {name: value for name, value in values.items() if value not in (None, "", 0)}

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return any((self.kind, self.state, self.trigger, self.since, self.until))


def read_list(session: Session, query: RunQuery) -> tuple[Sequence[Run], int | None]:
    """Return one page of runs, newest first, and the id to go on from, None at the end."""
    where: list[ColumnElement[bool]] = [Run.connector_id == query.connector_id]
    for name in ("kind", "state"):
        if value := getattr(query, name):
            where.append(getattr(Run, name) == value)
    if query.trigger:
        where.append(Run.trigger.icontains(query.trigger, autoescape=True))
    if query.since:
        where.append(Run.created_at >= query.since)
    if query.until:
        where.append(Run.created_at < query.until)
    if query.before:
        where.append(Run.id < query.before)
    rows = session.scalars(select(Run).where(and_(*where)).order_by(Run.id.desc()).limit(SHOWN + 1)).all()
    return rows[:SHOWN], rows[SHOWN - 1].id if len(rows) > SHOWN else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The runs of the last 24 hours (C4)."""

    runs: int
    failed_runs: int
    pulled: int
    pushed: int
    skipped: int
    failed: int


def summary(session: Session, connector_id: int, now: datetime) -> Summary:
    """Return how the runs started in the last 24 hours went."""
    sums = [func.coalesce(func.sum(column), 0) for column in (Run.pulled, Run.pushed, Run.skipped, Run.failed)]
    failed = func.count().filter(Run.state == RunState.FAILED)
    query = select(func.count(), failed, *sums).where(
        Run.connector_id == connector_id, Run.created_at >= now - timedelta(hours=24)
    )
    return Summary(*(int(number) for number in session.execute(query).one()))


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a run in their order; `last` is the newest id there is, `older` says whether more lie before."""

    lines: Sequence[RunLine]
    last: int
    older: int | None = None


def new_lines(session: Session, run_id: int, after: int, level: str = "info") -> Lines:
    """Return the lines behind an id, oldest first, at most 1,000 at once: what a page that follows a run asks for."""
    query = select(RunLine).where(RunLine.run_id == run_id, RunLine.id > after, *_level(level))
    rows = session.scalars(query.order_by(RunLine.id).limit(1000)).all()
    return Lines(rows, rows[-1].id if rows else after)


def page_of_lines(session: Session, run_id: int, before: int = 0, level: str = "info") -> Lines:
    """Return the newest lines before an id, in their order: only so many rows are read, whatever the run has."""
    query = select(RunLine).where(RunLine.run_id == run_id, *_level(level))
    if before:
        query = query.where(RunLine.id < before)
    rows = session.scalars(query.order_by(RunLine.id.desc()).limit(LINES + 1)).all()
    shown = list(reversed(rows[:LINES]))
    return Lines(shown, shown[-1].id if shown else 0, shown[0].id if len(rows) > LINES else None)


def _level(level: str) -> list[ColumnElement[bool]]:
    return [RunLine.level.in_(_FROM[level])] if level in _FROM else []


@dataclass(frozen=True, slots=True)
class Entity:
    """A record of a run in the words of C10."""

    delivery: Delivery
    operation: str
    status: str


_OPERATION = {"created": "CREATE", "updated": "UPDATE", "skipped": "SKIP", "deleted": "SYNC"}
_STATUS = {
    "success": "SUCCESS",
    "partial": "SUCCESS",
    "failed": "FAILED",
    "uncertain": "FAILED",
    "extraction": "FAILED",
    "skipped": "SKIPPED",
    "discarded": "SKIPPED",
    "conflict": "CONFLICT",
}


def entities(session: Session, run_id: int, before: int = 0, limit: int = ENTITIES) -> tuple[list[Entity], int | None]:
    """Return one page of a run's records, newest first, and the id to go on from."""
    query = select(Delivery).where(Delivery.run_id == run_id)
    if before:
        query = query.where(Delivery.id < before)
    # Ordered as the index of runs is, so that no walk over all records is taken instead.
    rows = session.scalars(query.order_by(Delivery.run_id.desc(), Delivery.id.desc()).limit(limit + 1)).all()
    older = rows[limit - 1].id if len(rows) > limit else None
    return [_entity(row) for row in rows[:limit]], older


def _entity(row: Delivery) -> Entity:
    status = _STATUS.get(status_of(row).code, status_of(row).label.upper())
    return Entity(row, _OPERATION.get(row.result, "SYNC"), status)


def later(session: Session, run: Run, now: datetime) -> int:
    """Return how many records of an ended run are still tried again."""
    going = run.state in (RunState.PENDING, RunState.RUNNING)
    return 0 if going else outbox.later_count(session, now, run.id)
