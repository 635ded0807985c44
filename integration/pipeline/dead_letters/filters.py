"""Which dead letters are meant: the filter of a URL or of a replay's options, and the rows that it selects (B4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from sqlalchemy import ColumnElement, and_, func, literal_column, select
from sqlalchemy.orm import Session

from integration import streams
from integration.models.delivery import Delivery
from integration.models.sql import begins
from integration.pipeline.delivery.retries import Category
from integration.pipeline.outbox.states import owned
from integration.url_filters import EntryId, Moment, OneOf, SourceText, Text, UrlFilter, WholeNumber

STATUSES = {"pending": "Pending", "replayed": "Replayed", "closed": "Closed", "discarded": "Discarded"}
CATEGORIES = {category.value: category.value.capitalize() for category in Category}
ROWS_MIN, ROWS_DEFAULT, ROWS_MAX = 10, 100, 500
#: As the partial indexes have it: a bound value would keep SQLite from using them.
DEAD = Delivery.state == literal_column("'dead'")


class DeadQuery(UrlFilter):
    """Dead letters of one connector, newest first, from before the id `before`; `code` is the cause of failure."""

    connector_id: int
    status: Annotated[str, OneOf(STATUSES)] = "pending"
    category: Annotated[str, OneOf(CATEGORIES)] = ""
    kind: Annotated[str, OneOf(streams.entities())] = ""
    code: Text = ""
    source: SourceText = ""
    since: Moment = None
    until: Moment = None
    limit: Annotated[int, WholeNumber(ROWS_MIN, ROWS_MAX)] = ROWS_DEFAULT
    before: EntryId = 0

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, Any], zone: str = "UTC") -> tuple[DeadQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, connector_id=connector_id)

    @property
    def filtered(self) -> bool:
        """Return whether anything but the status is filtered."""
        return self.differs("status", "limit", "before")


def matching(session: Session, query: DeadQuery) -> list[ColumnElement[bool]]:
    """Return what the query asks of a delivery beside its owner and its status."""
    found: list[ColumnElement[bool]] = []
    for name in ("category", "kind"):
        if value := getattr(query, name):
            found.append(getattr(Delivery, name) == value)
    if query.code:
        found.append(Delivery.error_code == query.code)
    if query.source:
        by_number, by_id = (begins(session, column, query.source) for column in (Delivery.number, Delivery.source_id))
        found.append(by_number | by_id)
    if query.since:
        found.append(Delivery.died_at >= query.since)
    if query.until:
        found.append(Delivery.died_at < query.until)
    return found


def count(session: Session, query: DeadQuery) -> int:
    """Return how many dead letters wait and match."""
    where = and_(*_waiting(session, query))
    return session.scalar(select(func.count()).select_from(Delivery).where(where)) or 0


def slice_of(session: Session, query: DeadQuery, after: int, upto: int, size: int) -> Sequence[int]:
    """Return the next ids of what waits and matches, oldest first, behind `after` and not beyond `upto`."""
    where = [*_waiting(session, query), Delivery.id > after, Delivery.id <= upto]
    return session.scalars(select(Delivery.id).where(and_(*where)).order_by(Delivery.id).limit(size)).all()


def newest_id(session: Session, connector_id: int) -> int:
    """Return the id of the newest dead letter, 0 when there is none."""
    query = select(func.max(Delivery.id)).where(owned(connector_id), DEAD)
    return session.scalar(query) or 0


def _waiting(session: Session, query: DeadQuery) -> list[ColumnElement[bool]]:
    # Causes have an index that begins with the connector; the other partial indexes are gone through as a whole.
    mine = owned(query.connector_id) if not query.code else Delivery.connector_id == query.connector_id
    return [mine, DEAD, *matching(session, query)]
