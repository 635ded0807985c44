"""Sources of the feed that are counted by the minute: thousands of records may fail at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
#: A page shows a hundred minutes. Of one whose minutes have more failures than this between them the others wait for
#: the next page.
LOOKED_AT_MAX = 2_000
#: What has more failures than this in one minute is told with this number.
TOLD_MAX = 100_000


@dataclass(frozen=True)
class Minutes:
    """Deliveries that had a moment of one sort in one minute, for one cause, as one event at the last of them.

    `index` gives a connector's by that moment, with all that is counted.
    """

    rank: int
    kind: str
    at: Any
    where: ColumnElement[bool]
    index: str

    def horizon(self, session: Session, query: ActivityQuery) -> datetime | None:
        """Return the begin of the oldest minute that a page looks at, None where it looks at all there are."""
        begun = [self._horizon(session, query, connector_id) for connector_id in query.connectors]
        return max((at for at in begun if at is not None), default=None)

    def _horizon(self, session: Session, query: ActivityQuery, connector_id: int) -> datetime | None:
        """The minute that the page goes on in is left out: however many it has, there is something behind it."""
        rows = self._mine(query, connector_id, self.at)
        if query.before:
            rows = rows.where(self.at < _minute_of(query.before.at))
        last = session.scalars(rows.order_by(self.at.desc()).offset(LOOKED_AT_MAX - 1).limit(2)).all()
        return _minute_of(last[0]) if len(last) > 1 else None

    def read(self, session: Session, query: ActivityQuery) -> Iterator[Event]:
        """Yield the query's newest minutes."""
        for connector_id, rows in zip(query.connectors, self.rows(query), strict=True):
            newest_first = rows.selected_columns.at.desc(), rows.selected_columns.id.desc()
            found = session.execute(rows.order_by(*newest_first).limit(query.size + 1)).all()
            sentences = _errors(session, [row.id for row in found])
            for row in found:
                yield self._event(connector_id, row, sentences[row.id])

    def rows(self, query: ActivityQuery) -> Iterator[Select[Any]]:
        """Yield what selects the query's minutes, a connector after another."""
        columns = (self.at.label("moment"), Delivery.id, Delivery.state, Delivery.error_code)
        for connector_id in query.connectors:
            near = self._mine(query, connector_id, *columns).where(*self._near(query))
            yield self._grouped(query, near.order_by(self.at.desc()).limit(TOLD_MAX).subquery())

    def _mine(self, query: ActivityQuery, connector_id: int, *columns: Any) -> Select[Any]:
        mine = select(*columns).where(Delivery.connector_id == connector_id, self.where, *query.days(self.at))
        return by_index(mine, Delivery, self.index)

    def _grouped(self, query: ActivityQuery, newest: Subquery) -> Select[Any]:
        last, number = func.max(newest.c.moment), func.max(newest.c.id)
        waits = case((newest.c.state == DeliveryState.DEAD, 1), else_=0)
        return (
            select(last.label("at"), number.label("id"), func.count().label("number"), func.sum(waits).label("waiting"))
            # The first sixteen characters of a moment are its minute on both databases.
            .group_by(func.substr(cast(newest.c.moment, String), 1, 16), newest.c.error_code)
            .having(query.reach(last, number, self.rank))
        )

    def _near(self, query: ActivityQuery) -> Iterator[ColumnElement[bool]]:
        """Yield bounds that leave no minute torn; which minutes fit is decided when they are counted."""
        if query.horizon:
            yield self.at >= query.horizon
        if query.before:
            yield self.at < _minute_of(query.before.at) + _MINUTE

    def _event(self, connector_id: int, row: Row[Any], error: str) -> Event:
        level, title, detail = self._words(row, error)
        return Event(FeedPosition(row.at, self.rank, row.id), self.kind, connector_id, level, title, detail)

    def _words(self, row: Row[Any], error: str) -> Words:
        if self.kind == "dead":
            return wording.failed(row.number, int(row.waiting), error)
        return wording.kept(row.number, error)


def _errors(session: Session, ids: Sequence[int]) -> dict[int, str]:
    if not ids:
        return {}
    errors = select(Delivery.id, Delivery.error).where(Delivery.id.in_(ids)).limit(len(ids))
    return dict(session.execute(errors).tuples().all())


def _minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


MINUTES = (
    Minutes(70, "dead", Delivery.died_at, Delivery.died_at.is_not(None), "ix_delivery_died_minute"),
    Minutes(
        71,
        "conflict",
        Delivery.settled_at,
        # A literal, as the index has it: a bound value would keep SQLite from using it.
        (Delivery.state == literal_column("'conflict'")) & Delivery.settled_at.is_not(None),
        "ix_delivery_conflict_minute",
    ),
)
