"""Sources of the feed that are counted by the minute: thousands of records may fail at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, case, cast, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery, DeliveryState
from integration.operations.monitoring.activity import wording
from integration.operations.monitoring.activity.event import Event, FeedPosition
from integration.operations.monitoring.activity.query import ActivityQuery
from integration.operations.monitoring.activity.wording import Words

_MINUTE = timedelta(minutes=1)
_WAITS = case((Delivery.state == DeliveryState.DEAD, 1), else_=0)


@dataclass(frozen=True)
class Minutes:
    """Deliveries that had a moment of one sort in one minute, for one cause, as one event at the last of them."""

    rank: int
    kind: str
    at: Any
    where: ColumnElement[bool]

    def read(self, session: Session, query: ActivityQuery) -> Iterator[Event]:
        """Yield the query's newest minutes."""
        newest_first = func.max(self.at).desc(), func.max(Delivery.id).desc()
        for connector_id, rows in zip(query.connectors, self.rows(query), strict=True):
            for row in session.execute(rows.order_by(*newest_first).limit(query.size + 1)):
                yield self._event(connector_id, row)

    def rows(self, query: ActivityQuery) -> Iterator[Select[Any]]:
        """Yield what selects the query's minutes, a connector after another."""
        for connector_id in query.connectors:
            yield self._grouped(query, connector_id)

    def _grouped(self, query: ActivityQuery, connector_id: int) -> Select[Any]:
        last, newest = func.max(self.at), func.max(Delivery.id)
        return (
            select(
                last.label("at"),
                newest.label("id"),
                func.count().label("number"),
                func.sum(_WAITS).label("waiting"),
                func.max(Delivery.error).label("error"),
            )
            .where(self._owned(connector_id), self.where, *self._near(query))
            # The first sixteen characters of a moment are its minute on both databases.
            .group_by(func.substr(cast(self.at, String), 1, 16), Delivery.error_code)
            .having(query.reach(last, newest, self.rank))
        )

    def _owned(self, connector_id: int) -> ColumnElement[bool]:
        if self.kind == "dead":
            # With "=" SQLite reads all deliveries of the connector instead of the small index of those that died.
            return Delivery.connector_id.between(connector_id, connector_id)
        return Delivery.connector_id == connector_id

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
    Minutes(70, "dead", Delivery.died_at, Delivery.died_at.is_not(None)),
    Minutes(
        71,
        "conflict",
        Delivery.settled_at,
        (Delivery.state == DeliveryState.CONFLICT) & Delivery.settled_at.is_not(None),
    ),
)
