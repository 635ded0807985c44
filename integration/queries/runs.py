"""Reads runs for the pages: the list, the last day, the lines of one (C3, C4, C5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from integration.models.payload_file import PayloadFile
from integration.models.run import Run, RunKind, RunLine, RunState
from integration.models.sql import Total, begins, counted_upto
from integration.pipeline import outbox
from integration.pipeline.runs.refusals import PARTLY_READ
from integration.url_filters import Correlation, EntryId, Moment, OneOf, Text, UrlFilter

KINDS = {
    RunKind.INITIAL.value: "Initial import",
    RunKind.FULL.value: "Full sync",
    RunKind.INCREMENTAL.value: "Incremental",
    RunKind.BULK.value: "Bulk",
    RunKind.REPLAY.value: "Replay",
    RunKind.RECONCILIATION.value: "Reconciliation",
}
#: State -> its words and the colour of its badge, wherever a run is named.
_BADGES = {
    RunState.PENDING.value: ("Waiting", "muted"),
    RunState.RUNNING.value: ("In progress", "info"),
    RunState.PAUSED.value: ("Paused", "warn"),
    RunState.COMPLETED.value: ("Completed", "ok"),
    RunState.FAILED.value: ("Failed", "bad"),
    RunState.CANCELLED.value: ("Cancelled", "muted"),
}
STATES = {state: words for state, (words, _) in _BADGES.items()}
LEVELS = {"info": "All lines", "warning": "Warnings and errors", "error": "Errors"}
RUNS_MAX_ROWS = 50
RUN_LINES_MAX_ROWS = 300
#: A text, or errors, are looked for in so many lines at once.
RUN_LINES_LOOKED_AT_MAX = 10_000
#: Runs of the last day that the Overview lists.
RECENT_SHOWN = 10
_DAY = timedelta(hours=24)
NEW_LINES_MAX = 1000
_FROM = {"warning": ("warning", "error"), "error": ("error",)}


def badge(run: Run) -> tuple[str, str]:
    """Return the state of a run in words and the colour of its badge; an end with failures is told apart.

    So is a run that was asked to stop and has not come to that yet.
    """
    if run.is_being_cancelled:
        return "Being cancelled", "warn"
    if run.is_being_paused:
        return "Being paused", "warn"
    if run.state == RunState.COMPLETED and run.failed:
        return "Completed with failures", "warn"
    if run.state == RunState.COMPLETED and run.error_code == PARTLY_READ:
        return "Completed in part", "warn"
    return _BADGES[run.state]


class RunQuery(UrlFilter):
    """Runs of one connector, newest first, from before the id `before`; moments are of the site's zone.

    `correlation` is a correlation id or its beginning, as lists show it.
    """

    connector_id: int
    kind: Annotated[str, OneOf(KINDS)] = ""
    state: Annotated[str, OneOf(STATES)] = ""
    trigger: Text = ""
    correlation: Annotated[str, Correlation()] = ""
    since: Moment = None
    until: Moment = None
    before: EntryId = 0

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, Any], zone: str = "UTC") -> tuple[RunQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, connector_id=connector_id)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("before")


def read_list(session: Session, query: RunQuery) -> tuple[Sequence[Run], int | None]:
    """Return one page of runs, newest first, and the id to go on from, None at the end."""
    where = _conditions(session, query)
    if query.before:
        where.append(Run.id < query.before)
    rows = session.scalars(select(Run).where(and_(*where)).order_by(Run.id.desc()).limit(RUNS_MAX_ROWS + 1)).all()
    return rows[:RUNS_MAX_ROWS], rows[RUNS_MAX_ROWS - 1].id if len(rows) > RUNS_MAX_ROWS else None


def count(session: Session, query: RunQuery) -> Total:
    """Return how many runs fit, on whatever page."""
    return counted_upto(session, select(Run.id).where(and_(*_conditions(session, query))))


def _conditions(session: Session, query: RunQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Run.connector_id == query.connector_id]
    for name in ("kind", "state"):
        if value := getattr(query, name):
            where.append(getattr(Run, name) == value)
    if query.trigger:
        where.append(Run.trigger.icontains(query.trigger, autoescape=True))
    if query.correlation:
        where.append(begins(session, Run.correlation_id, query.correlation))
    if query.since:
        where.append(Run.created_at >= query.since)
    if query.until:
        where.append(Run.created_at < query.until)
    return where


def waiting_of(session: Session, runs: Collection[Run]) -> dict[int, int]:
    """Return run id -> how many of its records wait: now while it goes, when it ended of one that has ended."""
    return {run.id: outbox.open_count(session, run_id=run.id) if run.ended_at is None else run.waiting for run in runs}


def of_last_day(session: Session, connector_id: int, now: datetime) -> Sequence[Run]:
    """Return the newest runs of the last 24 hours; polls that found nothing new are left out."""
    told = or_(Run.kind != RunKind.INCREMENTAL, Run.accepted > 0, Run.failed > 0, Run.state != RunState.COMPLETED)
    query = select(Run).where(Run.connector_id == connector_id, Run.created_at >= now - _DAY, told)
    return session.scalars(query.order_by(Run.id.desc()).limit(RECENT_SHOWN)).all()


@dataclass(frozen=True, slots=True)
class Summary:
    """The runs of the last 24 hours (C4); the people that reconciliations compared are not among the records."""

    runs: int
    failed_runs: int
    pulled: int
    pushed: int
    skipped: int
    failed: int


def summary(session: Session, connector_id: int, now: datetime) -> Summary:
    """Return how the runs started in the last 24 hours went; a dry run is none of them."""
    compares = Run.kind == RunKind.RECONCILIATION
    told = [_sum(compares, column) for column in (Run.pulled, Run.pushed, Run.skipped, Run.failed)]
    failed = func.count().filter(Run.state == RunState.FAILED)
    query = select(func.count(), failed, *told).where(
        Run.connector_id == connector_id, Run.created_at >= now - _DAY, ~Run.is_dry
    )
    return Summary(*(int(number) for number in session.execute(query).one()))


def _sum(left_out: ColumnElement[bool], column: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((left_out, 0), else_=column)), 0)


class RunLineQuery(UrlFilter):
    """Lines of a level and worse that hold a text, behind the id `after` or before the id `before`, 0 for none."""

    level: Annotated[str, OneOf(LEVELS)] = "info"
    text: Text = ""
    after: EntryId = 0
    before: EntryId = 0

    @classmethod
    def parse(cls, args: Mapping[str, Any]) -> tuple[RunLineQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args)

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return level and text as they stand in a URL, with changes; where the page begins is left out."""
        return super().args(**{"after": None, "before": None, **changes})

    def of(self, run_id: int) -> list[ColumnElement[bool]]:
        """Return what a line of a run has to be."""
        found: list[ColumnElement[bool]] = [RunLine.run_id == run_id]
        if self.level in _FROM:
            found.append(RunLine.level.in_(_FROM[self.level]))
        if self.text:
            found.append(RunLine.text.icontains(self.text, autoescape=True))
        return found


_ALL = RunLineQuery()


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a run in their order; `last` is the newest id there is, `older` says whether more lie before.

    `files` are the payload files of these lines that are still kept.
    """

    lines: Sequence[RunLine]
    last: int
    older: int | None = None
    files: frozenset[int] = frozenset()


def new_lines(session: Session, run_id: int, after: int, query: RunLineQuery = _ALL) -> Lines:
    """Return the lines behind an id, oldest first, at most 1,000 at once: what a page that follows a run asks for."""
    found = select(RunLine).where(*query.of(run_id), RunLine.id > after).order_by(RunLine.id)
    rows = session.scalars(found.limit(NEW_LINES_MAX)).all()
    return Lines(rows, rows[-1].id if rows else after, files=_files(session, run_id, rows))


def page_of_lines(session: Session, run_id: int, query: RunLineQuery = _ALL) -> Lines:
    """Return the newest lines before an id, in their order: only so many rows are read, whatever the run has.

    Where few of them fit, `older` is as far as was looked.
    """
    mine = [RunLine.run_id == run_id, *([RunLine.id < query.before] if query.before else [])]
    last = session.scalar(
        select(RunLine.id).where(*mine).order_by(RunLine.id.desc()).offset(RUN_LINES_LOOKED_AT_MAX).limit(1)
    )
    found = select(RunLine).where(*mine, *query.of(run_id), RunLine.id > (last or 0))
    rows = session.scalars(found.order_by(RunLine.id.desc()).limit(RUN_LINES_MAX_ROWS + 1)).all()
    shown = list(reversed(rows[:RUN_LINES_MAX_ROWS]))
    older = shown[0].id if len(rows) > RUN_LINES_MAX_ROWS else last and last + 1
    return Lines(shown, shown[-1].id if shown else 0, older, _files(session, run_id, shown))


def _files(session: Session, run_id: int, lines: Sequence[RunLine]) -> frozenset[int]:
    named = [line.payload_file_id for line in lines if line.payload_file_id is not None]
    kept = select(PayloadFile.id).where(PayloadFile.run_id == run_id, PayloadFile.id.in_(named))
    return frozenset(session.scalars(kept)) if named else frozenset()


def nothing_sent(run: Run, waiting: int) -> str:
    """Return why a run that has ended and found something wrote nothing to Mautic, "" where it did or still may.

    "skipped" says that nothing of it had to be sent, "failed" that none of it got through, "others_skipped" that some
    did not and nothing of the others had to be sent, "lost" that it met records which nothing became of.
    """
    if run.kind == RunKind.RECONCILIATION:
        return ""
    found = run.accepted if run.kind == RunKind.INCREMENTAL else run.pulled
    if run.state != RunState.COMPLETED or run.is_dry or run.pushed or waiting or not found:
        return ""
    if run.failed:
        return "others_skipped" if run.skipped else "failed"
    return "skipped" if run.skipped else "lost"
