"""Dead letters: listed, grouped by cause, counted, and taken in slices for a replay (B1 to B6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import not_
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.pipeline import statuses
from integration.pipeline.asked import Asked
from integration.pipeline.asked import in_address
from integration.pipeline.outbox.states import owned
from integration.pipeline.recordpages import begins
from integration.pipeline.recordquery import KINDS
from integration.pipeline.recordquery import LARGEST
from integration.pipeline.recordquery import SMALLEST
from integration.pipeline.recordquery import USUAL
from integration.pipeline.retries import Category

STATUSES = {"pending": "Pending", "replayed": "Replayed", "closed": "Closed", "discarded": "Discarded"}
CATEGORIES = {category.value: category.value.capitalize() for category in Category}
#: Counted exactly up to here where no index has just these rows.
COUNTED = 100_000
_DEAD = Delivery.state == literal_column("'dead'")


@dataclass(frozen=True)
class DeadQuery:
    """Dead letters of one connector, newest first, from before the id `before`; `code` is the cause of failure."""

    connector_id: int
    status: str = "pending"
    category: str = ""
    kind: str = ""
    code: str = ""
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = USUAL
    before: int = 0
    raw: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, str], zone: str = "UTC") -> tuple[DeadQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        read = Asked(args, zone)
        query = cls(
            connector_id,
            status=read.choice("status", STATUSES) or "pending",
            category=read.choice("category", CATEGORIES),
            kind=read.choice("kind", KINDS),
            code=read.text("code"),
            source=read.text("source").lstrip("#").strip(),
            since=read.moment("since"),
            until=read.moment("until"),
            limit=read.number("limit", SMALLEST, LARGEST) or USUAL,
            before=read.number("before") or 0,
            raw=read.used,
        )
        return query, read.notices

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return what stands in the URL of this query, with changes; None and "" leave a name out."""
        return in_address(self.raw, changes)

    @property
    def filtered(self) -> bool:
        """Return whether anything but the status is filtered."""
        return any((self.category, self.kind, self.code, self.source, self.since, self.until))


@dataclass(frozen=True, slots=True)
class DeadPage:
    """One page of dead letters; `exact` False means that there are more than `total`."""

    records: Sequence[Delivery]
    total: int
    exact: bool
    older: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one cause (B6), with one of their sentences."""

    code: str
    category: str
    number: int
    first: datetime
    last: datetime
    sentence: str = ""


def waiting(session: Session, connector_id: int) -> int:
    """Return how many dead letters wait for a person: the badge of the menu."""
    query = select(func.count()).select_from(Delivery).where(owned(connector_id), _DEAD)
    return session.scalar(query) or 0


def read_page(session: Session, query: DeadQuery) -> DeadPage:
    """Return the page that a query asks for."""
    where = conditions(session, query)
    few = select(Delivery.id).where(and_(*where)).limit(COUNTED + 1).subquery()
    total = session.scalar(select(func.count()).select_from(few)) or 0
    if query.before:
        where.append(Delivery.id < query.before)
    newest = select(Delivery.id).where(and_(*where)).order_by((Delivery.id + 0).desc()).limit(query.limit + 1)
    rows = select(Delivery).where(Delivery.id.in_(session.scalars(newest).all())).order_by(Delivery.id.desc())
    records = session.scalars(rows).all()
    shown = records[: query.limit]
    older = shown[-1].id if len(records) > query.limit else None
    return DeadPage(shown, min(total, COUNTED), total <= COUNTED, older)


def conditions(session: Session, query: DeadQuery) -> list[ColumnElement[bool]]:
    """Return what the query asks of a delivery."""
    # Causes have an index that begins with the connector; the other partial indexes are gone through as a whole.
    rare = query.status not in ("discarded", "closed") and not query.code
    found = [owned(query.connector_id) if rare else Delivery.connector_id == query.connector_id]
    found += _of_status(query.status)
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


def _of_status(status: str) -> list[ColumnElement[bool]]:
    if status == "replayed":
        return [Delivery.replayed_at.is_not(None), not_(_DEAD), Delivery.state.not_in(("discarded", "closed"))]
    if status in ("discarded", "closed"):
        return [statuses.condition(status), Delivery.died_at.is_not(None)]
    return [_DEAD]


def groups(session: Session, connector_id: int, limit: int = 50) -> Sequence[Group]:
    """Return the causes of what waits, the most frequent first."""
    mine = and_(Delivery.connector_id == connector_id, _DEAD)
    number = func.count().label("number")
    query = (
        select(
            Delivery.error_code,
            Delivery.category,
            number,
            func.min(func.coalesce(Delivery.failing_since, Delivery.settled_at)),
            func.max(Delivery.settled_at),
        )
        .where(mine)
        .group_by(Delivery.error_code, Delivery.category)
        .order_by(number.desc())
        .limit(limit)
    )
    return [_with_sentence(session, connector_id, Group(*row)) for row in session.execute(query)]


def _with_sentence(session: Session, connector_id: int, group: Group) -> Group:
    newest = select(Delivery.error).where(
        Delivery.connector_id == connector_id,
        _DEAD,
        Delivery.error_code == group.code,
        Delivery.category == group.category,
    )
    sentence = session.scalar(newest.limit(1)) or ""
    return Group(group.code, group.category, group.number, group.first, group.last, without_person(sentence))


#: An address, and what else stands in quotation marks: the values of one record.
_PERSONAL = (re.compile(r"“[^”]*”"), re.compile(r"[^\s“”<>(),;]+@[^\s“”<>(),;]*[^\s“”<>(),;.]"))


def without_person(sentence: str) -> str:
    """Return the sentence of a failure as the cause of many: without the address or the value of one of them."""
    for pattern in _PERSONAL:
        sentence = pattern.sub("“…”", sentence)
    return sentence


def slice_of(session: Session, query: DeadQuery, after: int, upto: int, size: int) -> Sequence[int]:
    """Return the next ids of what waits and matches, oldest first, behind `after` and not beyond `upto`."""
    where = [*conditions(session, query), Delivery.id > after, Delivery.id <= upto]
    return session.scalars(select(Delivery.id).where(and_(*where)).order_by(Delivery.id).limit(size)).all()


def newest_id(session: Session, connector_id: int) -> int:
    """Return the id of the newest dead letter, 0 when there is none."""
    query = select(func.max(Delivery.id)).where(owned(connector_id), _DEAD)
    return session.scalar(query) or 0
