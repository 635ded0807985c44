"""Sources of the feed that are counted by the minute: thousands of records may fail at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, Subquery, case, cast, func, literal_column, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery, DeliveryState
from integration.models.sql import by_index
from integration.operations.monitoring.activity import wording
from integration.operations.monitoring.activity.event import Event, FeedPosition
from integration.operations.monitoring.activity.query import ActivityQuery
from integration.operations.monitoring.activity.wording import Words

_MINUTE = timedelta(minutes=1)
#: A page shows a hundred minutes; what has more failures than this in one of them is told with this number.
LOOKED_AT_MAX = 5_000


@dataclass(frozen=True)
class Minutes:
    """Deliveries that had a moment of one sort in one minute, for one cause, as one event at the last of them.

    `index` gives a connector's by that moment, with the cause. Of one page so many of the newest are looked at.
    """

    rank: int
    kind: str
    at: Any
    where: ColumnElement[bool]
    index: str

    def read(self, session: Session, query: ActivityQuery) -> Iterator[Event]:
        """Yield the query's newest minutes."""
        for connector_id, rows in zip(query.connectors, self.rows(query), strict=True):
            newest_first = rows.selected_columns.at.desc(), rows.selected_columns.id.desc()
            for row in session.execute(rows.order_by(*newest_first).limit(query.size + 1)):
                yield self._event(connector_id, row)

    def rows(self, query: ActivityQuery) -> Iterator[Select[Any]]:
        """Yield what selects the query's minutes, a connector after another."""
        for connector_id in query.connectors:
            yield self._grouped(query, self._newest(query, connector_id).subquery())

    def is_cut(self, session: Session, query: ActivityQuery) -> bool:
        """Return whether there are older ones than those that are looked at."""
        each = (self._newest(query, connector_id) for connector_id in query.connectors)
        behind = (rows.with_only_columns(self.at).offset(LOOKED_AT_MAX - 1).limit(2) for rows in each)
        return any(len(session.scalars(rows).all()) > 1 for rows in behind)

    def _newest(self, query: ActivityQuery, connector_id: int) -> Select[Any]:
        columns = (self.at.label("moment"), Delivery.id, Delivery.state, Delivery.error, Delivery.error_code)
        mine = select(*columns).where(Delivery.connector_id == connector_id, self.where, *self._near(query))
        return by_index(mine.order_by(self.at.desc()).limit(LOOKED_AT_MAX), Delivery, self.index)

    def _grouped(self, query: ActivityQuery, newest: Subquery) -> Select[Any]:
        last, number = func.max(newest.c.moment), func.max(newest.c.id)
        waits = case((newest.c.state == DeliveryState.DEAD, 1), else_=0)
        return (
            select(
                last.label("at"),
                number.label("id"),
                func.count().label("number"),
                func.sum(waits).label("waiting"),
                func.max(newest.c.error).label("error"),
            )
            # The first sixteen characters of a moment are its minute on both databases.
            .group_by(func.substr(cast(newest.c.moment, String), 1, 16), newest.c.error_code)
            .having(query.reach(last, number, self.rank))
        )

    def _near(self, query: ActivityQuery) -> Iterator[ColumnElement[bool]]:
        """Yield bounds that leave no minute torn; which minutes fit is decided when they are counted."""
        if query.begin:
            yield self.at >= query.begin
        if query.end:
            yield self.at < query.end
        if query.before:
            yield self.at < query.before.at + _MINUTE

    def _event(self, connector_id: int, row: Row[Any]) -> Event:
        level, title, detail = self._words(row)
        return Event(FeedPosition(row.at, self.rank, row.id), self.kind, connector_id, level, title, detail)

    def _words(self, row: Row[Any]) -> Words:
        if self.kind == "dead":
            return wording.failed(row.number, int(row.waiting), row.error or "")
        return wording.kept(row.number, row.error or "")


MINUTES = (
    Minutes(70, "dead", Delivery.died_at, Delivery.died_at.is_not(None), "ix_delivery_died_at"),
    Minutes(
        71,
        "conflict",
        Delivery.settled_at,
        # A literal, as the index has it: a bound value would keep SQLite from using it.
        (Delivery.state == literal_column("'conflict'")) & Delivery.settled_at.is_not(None),
        "ix_delivery_conflict",
    ),
)
