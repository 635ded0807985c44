"""How the statements of a page of the feed look: they are made once for all pages of a form, with parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_

from integration.operations.monitoring.activity.event import QUIET
from integration.operations.monitoring.activity.query import ActivityQuery

MINUTE = timedelta(minutes=1)
#: So many rows each source gives at most, one more than the page shows.
ROWS: BindParameter[int] = bindparam("rows")


@dataclass(frozen=True, slots=True)
class Form:
    """What of a query decides how its statements look; `values_of` gives what they leave open.

    `organisation` adds what was done to the organisation itself, `rank` is that of the event that the page begins
    behind, None on the first page.
    """

    kind: str
    connectors: int
    organisation: bool
    since: bool
    until: bool
    horizon: bool
    rank: int | None

    @classmethod
    def of(cls, query: ActivityQuery) -> Form:
        """Return the form of a query."""
        whole = query.scope == "all"
        days = query.begin is not None, query.end is not None
        rank = query.before.rank if query.before else None
        return cls(query.kind, len(query.connectors), whole, *days, query.horizon is not None, rank)

    def wants(self, kind: str) -> bool:
        """Return whether events of a kind are shown."""
        return kind == self.kind if self.kind else kind not in QUIET

    def each(self) -> list[BindParameter[int]]:
        """Return the connectors one by one."""
        return [bindparam(f"connector_{place}") for place in range(self.connectors)]

    def days(self, at: Any) -> list[ColumnElement[bool]]:
        """Return the conditions on a moment that it lies on the days that are asked for."""
        found: list[ColumnElement[bool]] = [at >= bindparam("begin")] if self.since else []
        return [*found, at < bindparam("end")] if self.until else found

    def reach(self, at: Any, number: Any, rank: int) -> ColumnElement[bool]:
        """Return the condition on the moment and the id of a source's rows that makes them follow `before`."""
        conditions = [at.is_not(None), *self.days(at)]
        if self.horizon:
            conditions.append(at >= bindparam("horizon"))
        if self.rank is not None and rank < self.rank:
            conditions.append(at < bindparam("before_at"))
        elif self.rank is not None:
            conditions.append(at <= bindparam("before_at"))
            if rank == self.rank:
                conditions.append(or_(at < bindparam("before_at"), number < bindparam("before_id")))
        return and_(*conditions)


def values_of(query: ActivityQuery) -> dict[str, Any]:
    """Return the parameters of a query's statements."""
    values: dict[str, Any] = {f"connector_{place}": each for place, each in enumerate(query.connectors)}
    values |= {"connectors": query.connectors, "organisation_id": query.organisation_id, "rows": query.size + 1}
    values |= {"begin": query.begin, "end": query.end, "horizon": query.horizon}
    if query.before:
        minute = minute_of(query.before.at)
        values |= {"before_at": query.before.at, "before_id": query.before.id}
        values |= {"minute": minute, "behind_minute": minute + MINUTE}
    return values


def minute_of(at: datetime) -> datetime:
    """Return the begin of a moment's minute."""
    return at.replace(second=0, microsecond=0)
