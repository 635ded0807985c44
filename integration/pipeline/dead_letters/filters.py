"""Which dead letters are meant: the filter of a URL or of a replay's options, and the rows that it selects (B4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, func, literal_column, not_, select
from sqlalchemy.orm import Session

from integration import streams
from integration.models.delivery import Delivery
from integration.models.sql import begins, by_index
from integration.pipeline.delivery.retries import Category
from integration.pipeline.outbox.states import DEAD
from integration.url_filters import EntryId, Moment, OneOf, SourceText, Text, UrlFilter, WholeNumber

STATUSES = {"pending": "Pending", "replayed": "Replayed", "closed": "Closed", "discarded": "Discarded"}
CATEGORIES = {category.value: category.value.capitalize() for category in Category}
ROWS_MIN, ROWS_DEFAULT, ROWS_MAX = 10, 100, 500


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
    found = caused(query)
    if query.source:
        by_number, by_id = (begins(session, column, query.source) for column in (Delivery.number, Delivery.source_id))
        found.append(by_number | by_id)
    return [*found, *died(query)]


def caused(query: DeadQuery, of: Any = Delivery) -> list[ColumnElement[bool]]:
    """Return what the query asks of the cause and the entity; `of` has the columns."""
    wanted = {of.category: query.category, of.kind: query.kind, of.error_code: query.code}
    return [column == value for column, value in wanted.items() if value]


def died(query: DeadQuery, of: Any = Delivery) -> list[ColumnElement[bool]]:
    """Return the bounds of the moment it failed; `of` has the columns."""
    found: list[ColumnElement[bool]] = [of.died_at >= query.since] if query.since else []
    return [*found, of.died_at < query.until] if query.until else found


def of_status(status: str) -> list[ColumnElement[bool]]:
    """Return the conditions of a status, as the partial indexes have them."""
    if status == "replayed":
        return [Delivery.replayed_at.is_not(None), not_(DEAD), Delivery.state.not_in(("discarded", "closed"))]
    if status in ("discarded", "closed"):
        return [Delivery.state == literal_column(f"'{status}'"), Delivery.died_at.is_not(None)]
    return [DEAD]


def sought(query: DeadQuery, where: Sequence[ColumnElement[bool]], *, by_moment: bool = False) -> Select[Any]:
    """Return what selects the ids of the connector's records that are so, by the index of the narrowest filter.

    The index gives them in the order of ids; `by_moment` it gives those that failed between the query's moments, and no
    others of its status, cause, category or entity.
    """
    found = [Delivery.connector_id == query.connector_id, *where, *(_every_other(query) if by_moment else ())]
    return by_index(select(Delivery.id).where(*found), Delivery, _index_of(query, by_moment=by_moment))


def _index_of(query: DeadQuery, *, by_moment: bool) -> str:
    if query.status == "replayed":
        return "ix_delivery_replayed_order"
    if by_moment:
        return _index_by_moment(query)
    return "ix_delivery_died_order" if query.status != "pending" or died(query) else _index_of_waiting(query)


def _index_by_moment(query: DeadQuery) -> str:
    if query.status != "pending" or not (query.code or query.category or query.kind):
        return "ix_delivery_died_when"
    return "ix_delivery_letter_cause_when" if query.code else "ix_delivery_letter_when"


def _every_other(query: DeadQuery) -> Iterator[ColumnElement[bool]]:
    """Yield all there may be of what an index has before the moment and the query does not ask for.

    So it is sought once for each of them instead of walked through.
    """
    index = _index_by_moment(query)
    if index == "ix_delivery_letter_when" and not query.category:
        yield Delivery.category.in_(("", *CATEGORIES))
    if index != "ix_delivery_died_when" and not query.kind:
        yield Delivery.kind.in_(streams.entities())


def _index_of_waiting(query: DeadQuery) -> str:
    if query.code:
        return "ix_delivery_letter_cause"
    if query.category:
        return "ix_delivery_letter_both" if query.kind else "ix_delivery_letter_category"
    return "ix_delivery_letter_kind" if query.kind else "ix_delivery_dead"


def count(session: Session, query: DeadQuery) -> int:
    """Return how many dead letters wait and match."""
    ids = sought(query, _waiting(session, query)).subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def slice_of(session: Session, query: DeadQuery, after: int, upto: int, size: int) -> Sequence[int]:
    """Return the next ids of what waits and matches, oldest first, behind `after` and not beyond `upto`."""
    where = [*_waiting(session, query), Delivery.id > after, Delivery.id <= upto]
    return session.scalars(sought(query, where).order_by(Delivery.id).limit(size)).all()


def newest_id(session: Session, connector_id: int) -> int:
    """Return the id of the newest dead letter, 0 when there is none."""
    mine = select(Delivery.id).where(Delivery.connector_id == connector_id, DEAD)
    newest = by_index(mine, Delivery, "ix_delivery_dead").order_by(Delivery.id.desc()).limit(1)
    return session.scalar(newest) or 0


def _waiting(session: Session, query: DeadQuery) -> list[ColumnElement[bool]]:
    return [DEAD, *matching(session, query)]
