"""Lists of what is kept of people, carts and subscriptions: newest first, by state, address and day, in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.models.cart import Cart
from integration.models.consent import ConsentEntry
from integration.models.sql import Total, counted_upto
from integration.models.subscription import Subscription
from integration.url_filters import Day, EntryId, Text, UrlFilter, WholeNumber, begin_of, end_of

#: Rows of a page that can be chosen.
SIZES = (10, 25, 50, 100)
Row = TypeVar("Row", Cart, Subscription, ConsentEntry)


class PersonQuery(UrlFilter):
    """Rows of a connector, newest first, from before the id `before`; days are of the site's zone.

    Each list says by its own `state` which there are.
    """

    connector_id: int
    state: str = ""
    email: Text = ""
    since: Day = None
    until: Day = None
    size: Annotated[int, WholeNumber(SIZES[0], SIZES[-1])] = SIZES[1]
    before: EntryId = 0
    zone: str = "UTC"

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, Any], zone: str = "UTC") -> tuple[Self, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, connector_id=connector_id)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("size", "before")


@dataclass(frozen=True, slots=True)
class PersonPage(Generic[Row]):
    """One page of rows and how many fit in all; `older` is the id to go on from, None at the end."""

    rows: Sequence[Row]
    total: Total
    older: int | None


def read_page(session: Session, model: type[Row], query: PersonQuery) -> PersonPage[Row]:
    """Return the page that a query asks for."""
    total = counted_upto(session, select(model.id).where(*_conditions(model, query)))
    rows = rows_of(session, model, query, query.size + 1)
    shown = rows[: query.size]
    return PersonPage(shown, total, shown[-1].id if len(rows) > query.size else None)


def rows_of(session: Session, model: type[Row], query: PersonQuery, most: int) -> Sequence[Row]:
    """Return at most so many rows of a query, newest first, from before the id that it names."""
    where = _conditions(model, query)
    if query.before:
        where.append(model.id < query.before)
    return session.scalars(select(model).where(*where).order_by(model.id.desc()).limit(most)).all()


def _conditions(model: type[Row], query: PersonQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [model.connector_id == query.connector_id]
    if query.state:
        found.append(model.state == query.state)
    if query.email:
        found.append(model.person_key == person_key_of(query.email))
    if begin := begin_of(query.since, query.zone):
        found.append(model.created_at >= begin)
    if end := end_of(query.until, query.zone):
        found.append(model.created_at < end)
    return found
