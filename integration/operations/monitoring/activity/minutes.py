"""Sources of the feed that are counted by the minute: thousands of records may fail at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    String,
    Subquery,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from integration.models.delivery import Delivery, DeliveryState
from integration.models.sql import by_index
from integration.operations.monitoring.activity import wording
from integration.operations.monitoring.activity.event import Event, FeedPosition
from integration.operations.monitoring.activity.form import ROWS, Form
from integration.operations.monitoring.activity.moments import placed
from integration.operations.monitoring.activity.wording import Words

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

    model = Delivery

    def looked_at(self, form: Form) -> Iterator[Select[Any]]:
        """Yield what selects, of each connector, the oldest moment that a page looks at and the one behind it.

        The minute that the page goes on in is left out: however many it has, there is something behind it.
        """
        for connector in form.each():
            rows = self._mine(form, connector, self.at.label("at"))
            if form.rank is not None:
                rows = rows.where(self.at < bindparam("minute"))
            yield rows.order_by(self.at.desc()).offset(bindparam("looked_at")).limit(2)

    def rows(self, form: Form) -> Iterator[Select[Any]]:
        """Yield what selects the places of the minutes, a connector after another."""
        columns = (self.at.label("moment"), Delivery.id, Delivery.connector_id, Delivery.state, Delivery.error_code)
        for connector in form.each():
            near = self._mine(form, connector, *columns).where(*self._near(form))
            yield self._grouped(form, near.order_by(self.at.desc()).limit(TOLD_MAX).subquery())

    def newest(self, form: Form) -> Iterator[Select[Any]]:
        """Yield the same of the newest only."""
        for rows in self.rows(form):
            yield rows.order_by(rows.selected_columns.at.desc(), rows.selected_columns.id.desc()).limit(ROWS)

    def _mine(self, form: Form, connector: BindParameter[int], *columns: Any) -> Select[Any]:
        mine = select(*columns).where(Delivery.connector_id == connector, self.where, *form.days(self.at))
        return by_index(mine, Delivery, self.index)

    def _grouped(self, form: Form, newest: Subquery) -> Select[Any]:
        last, key, owner = (func.max(newest.c[name]) for name in ("moment", "id", "connector_id"))
        waits = func.sum(case((newest.c.state == DeliveryState.DEAD, 1), else_=0))
        return (
            placed(self.rank, last, key, owner, func.count(), waits)
            # The first sixteen characters of a moment are its minute on both databases.
            .group_by(func.substr(cast(newest.c.moment, String), 1, 16), newest.c.error_code)
            .having(form.reach(last, key, self.rank))
        )

    def _near(self, form: Form) -> Iterator[ColumnElement[bool]]:
        """Yield bounds that leave no minute torn; which minutes fit is decided when they are counted."""
        if form.horizon:
            yield self.at >= bindparam("horizon")
        if form.rank is not None:
            yield self.at < bindparam("behind_minute")

    def event(self, place: FeedPosition, row: Row[Any], error: str) -> Event:
        """Return the event of a minute, of which `error` is the last record's."""
        level, title, detail = self._words(row, error)
        return Event(place, self.kind, row.connector_id, level, title, detail)

    def _words(self, row: Row[Any], error: str) -> Words:
        if self.kind == "dead":
            return wording.failed(row.number, int(row.waiting), error)
        return wording.kept(row.number, error)


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
