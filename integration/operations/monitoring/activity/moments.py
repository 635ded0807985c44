"""Sources of the feed whose rows have a moment of their own: runs, holds, alerts, reconciliations, gaps, changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, literal_column, or_, select

from integration.models.alert import Alert
from integration.models.audit import AuditAction, AuditEntry
from integration.models.drift import Gap, Reconciliation
from integration.models.hold import Hold
from integration.models.run import GOING, Run, RunKind, RunState
from integration.operations.monitoring.activity import wording
from integration.operations.monitoring.activity.event import Event, FeedPosition
from integration.operations.monitoring.activity.form import ROWS, Form
from integration.operations.monitoring.activity.wording import Words

_POLL = Run.kind == RunKind.INCREMENTAL
#: Reconciliations have words of their own.
_COMPARES = Run.kind == RunKind.RECONCILIATION
_WELL = and_(Run.state == RunState.COMPLETED, Run.failed == 0, Run.error_code == "")
_NOTHING = and_(_POLL, _WELL, Run.pulled == 0, Run.pushed == 0)
#: What is told by another source, or has nothing to do with the syncs.
_UNTOLD = (
    AuditAction.SYNC_TRIGGERED,
    AuditAction.SYNC_CANCELLED,
    AuditAction.SIGNED_IN,
    AuditAction.SIGN_IN_FAILED,
    AuditAction.USER_CHANGED,
    AuditAction.TOKEN_CHANGED,
)
#: Entries are read in the order they were written in; clocks of two processes may differ by so many entries.
_SLACK = 20
_NONE: Any = literal_column("0", Integer)


def placed(rank: int, at: Any, key: Any, owner: Any, number: Any = _NONE, waiting: Any = _NONE) -> Select[Any]:
    """Return what selects the places of events, with the figures of those that are of many records."""
    columns = {"rank": literal_column(str(rank), Integer), "at": at, "id": key, "connector_id": owner}
    figures = {"number": number, "waiting": waiting}
    return select(*(column.label(name) for name, column in {**columns, **figures}.items()))


@dataclass(frozen=True)
class Source:
    """Rows of a table that stand in the feed at one of their moments; `name` is what an event's `about` calls them.

    `each` asks connector by connector: only so can an index of a large table be read from its end.
    """

    rank: int
    kind: str
    name: str
    at: Any
    words: Callable[[Any], Words]
    where: ColumnElement[bool] | None = None
    each: bool = False

    @property
    def model(self) -> Any:
        """Return the table's class."""
        return self.at.class_

    def rows(self, form: Form) -> Iterator[Select[Any]]:
        """Yield what selects the place of each event, as all sources give it."""
        key, owner = self.model.id, self.model.connector_id
        for connector in form.each() if self.each else [None]:
            owned = owner.in_(bindparam("connectors", expanding=True)) if connector is None else owner == connector
            fits = placed(self.rank, self.at, key, owner).where(owned, form.reach(self.at, key, self.rank))
            yield fits if self.where is None else fits.where(self.where)

    def newest(self, form: Form) -> Iterator[Select[Any]]:
        """Yield the same of the newest only."""
        for rows in self.rows(form):
            yield rows.order_by(self.at.desc(), self.model.id.desc()).limit(ROWS)

    def event(self, place: FeedPosition, row: Any) -> Event:
        """Return the event of a row."""
        level, title, detail = self.words(row)
        return Event(place, self.kind, row.connector_id, level, title, detail, {self.name: row.id})


# A poll that has ended is told once, by its end.
_BEGINS = and_(~_COMPARES, or_(~_POLL, Run.state.in_(GOING)))
SOURCES = (
    Source(10, "run", "run_id", Run.ended_at, wording.run_ended, and_(~_COMPARES, ~_NOTHING), each=True),
    Source(11, "run", "run_id", Run.created_at, wording.run_started, _BEGINS, each=True),
    Source(12, "poll", "run_id", Run.ended_at, wording.run_ended, _NOTHING, each=True),
    Source(20, "hold", "hold_id", Hold.released_at, wording.released),
    Source(21, "hold", "hold_id", Hold.since, wording.held),
    Source(30, "alert", "alert_id", Alert.ended_at, wording.ended),
    Source(31, "alert", "alert_id", Alert.since, wording.raised),
    Source(40, "reconciliation", "reconciliation_id", Reconciliation.ended_at, wording.compared, _COMPARES),
    Source(41, "reconciliation", "reconciliation_id", Reconciliation.created_at, wording.compares, _COMPARES),
    Source(50, "gap", "gap_id", Gap.healed_at, wording.healed),
    Source(51, "gap", "gap_id", Gap.noticed_at, wording.noticed),
)


@dataclass(frozen=True)
class Changes:
    """What people did, from the audit log; only administrators see who it was and what was changed."""

    rank: int = 60
    kind: str = "change"

    model = AuditEntry

    def rows(self, form: Form) -> Iterator[Select[Any]]:
        """Yield what selects the place of each change."""
        mine: ColumnElement[bool] = AuditEntry.connector_id.in_(bindparam("connectors", expanding=True))
        if form.organisation:
            mine = or_(mine, AuditEntry.connector_id.is_(None))
        owned = AuditEntry.organisation_id == bindparam("organisation_id")
        reached = form.reach(AuditEntry.at, AuditEntry.id, self.rank)
        rows = placed(self.rank, AuditEntry.at, AuditEntry.id, AuditEntry.connector_id)
        yield rows.where(owned, mine, AuditEntry.action.not_in(_UNTOLD), reached)

    def newest(self, form: Form) -> Iterator[Select[Any]]:
        """Yield the same of the newest only."""
        for rows in self.rows(form):
            yield rows.order_by(AuditEntry.id.desc()).limit(ROWS + _SLACK)

    def event(self, place: FeedPosition, entry: AuditEntry, *, whole: bool) -> Event:
        """Return the event of an entry, with actor and diff where the `whole` entry may be seen."""
        level, title, detail = wording.changed(entry)
        actor, diff = (entry.actor, entry.diff) if whole else ("", {})
        about = {"entry_id": entry.id}
        return Event(place, self.kind, entry.connector_id, level, title, detail, about, actor, diff)
