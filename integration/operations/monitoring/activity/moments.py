"""Sources of the feed whose rows have a moment of their own: runs, holds, alerts, reconciliations, gaps, changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.audit import AuditAction, AuditEntry
from integration.models.drift import Gap, Reconciliation
from integration.models.hold import Hold
from integration.models.run import GOING, Run, RunKind, RunState
from integration.operations.monitoring.activity import wording
from integration.operations.monitoring.activity.event import Event, FeedPosition
from integration.operations.monitoring.activity.query import ActivityQuery
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

    def read(self, session: Session, query: ActivityQuery) -> Iterator[Event]:
        """Yield the query's newest events of this source."""
        newest_first = self.at.desc(), self.at.class_.id.desc()
        for rows in self.rows(query):
            for row in session.scalars(rows.order_by(*newest_first).limit(query.size + 1)):
                yield self._event(row)

    def rows(self, query: ActivityQuery) -> Iterator[Select[Any]]:
        """Yield what selects the rows of the query's events."""
        model = self.at.class_
        for connectors in [[one] for one in query.connectors] if self.each else [query.connectors]:
            owned = model.connector_id == connectors[0] if self.each else model.connector_id.in_(connectors)
            fits = select(model).where(owned, query.reach(self.at, model.id, self.rank))
            yield fits if self.where is None else fits.where(self.where)

    def _event(self, row: Any) -> Event:
        level, title, detail = self.words(row)
        place = FeedPosition(getattr(row, self.at.key), self.rank, row.id)
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

    def read(self, session: Session, query: ActivityQuery, *, whole: bool) -> Iterator[Event]:
        """Yield the query's newest changes, with actor and diff where the `whole` entry may be seen."""
        for rows in self.rows(query):
            for entry in session.scalars(rows.order_by(AuditEntry.id.desc()).limit(query.size + 1 + _SLACK)):
                yield self._event(entry, whole)

    def rows(self, query: ActivityQuery) -> Iterator[Select[Any]]:
        """Yield what selects the entries of the query's changes."""
        mine: ColumnElement[bool] = AuditEntry.connector_id.in_(query.connectors)
        if query.scope == "all":
            mine = or_(mine, AuditEntry.connector_id.is_(None))
        told = (AuditEntry.organisation_id == query.organisation_id, mine, AuditEntry.action.not_in(_UNTOLD))
        yield select(AuditEntry).where(*told, query.reach(AuditEntry.at, AuditEntry.id, self.rank))

    def _event(self, entry: AuditEntry, whole: bool) -> Event:
        level, title, detail = wording.changed(entry)
        actor, diff = (entry.actor, entry.diff) if whole else ("", {})
        place = FeedPosition(entry.at, self.rank, entry.id)
        about = {"entry_id": entry.id}
        return Event(place, self.kind, entry.connector_id, level, title, detail, about, actor, diff)
