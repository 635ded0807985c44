"""What dead letters wait for: their causes, each counted, with when it began and one of its sentences (B6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import CTE, Select, String, bindparam, column, func, select, union_all, values
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import COUNTED_ROWS_MAX, Total, by_index
from integration.pipeline.outbox.states import DEAD

#: So many causes are told apart.
GROUPS_MAX = 50


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one cause (B6), with one of their sentences."""

    code: str
    category: str
    total: Total
    first: datetime
    last: datetime
    sentence: str = ""


def groups(session: Session, connector_id: int, limit: int = GROUPS_MAX) -> Sequence[Group]:
    """Return the causes of what waits, the most frequent first."""
    causes = list(islice(_causes(session, connector_id), limit))
    if not causes:
        return []
    named = values(column("code", String), column("category", String)).data(causes).cte("cause")
    found = [_group(*row) for row in session.execute(_told(connector_id, named)).tuples()]
    return sorted(found, key=lambda group: -group.total.number)


def _causes(session: Session, connector_id: int) -> Iterator[tuple[str, str]]:
    """Yield each cause once, from one to the next in the index, without the rows between."""
    each = _dead(Delivery.error_code, connector_id).add_columns(Delivery.category)
    each = each.order_by(Delivery.error_code, Delivery.category).limit(1)
    following = _behind(each)
    row = session.execute(each).one_or_none()
    while row is not None:
        code, category = row
        yield code, category
        row = session.execute(following, {"code": code, "category": category}).one_or_none()


def _behind(each: Select[Any]) -> Select[Any]:
    """Return what selects the cause behind :code and :category; it is made once, which costs more than an answer."""
    code, category = bindparam("code", type_=String), bindparam("category", type_=String)
    # Both columns at once are sought by SQLite with all rows of the cause.
    same = each.where(Delivery.error_code == code, Delivery.category > category).subquery()
    beyond = each.where(Delivery.error_code > code).subquery()
    either = union_all(select(same), select(beyond)).subquery()
    return select(either).order_by(*either.c).limit(1)


def _told(connector_id: int, cause: CTE) -> Select[Any]:
    """Return what tells all causes in one question, each by a few looks at the ends of an index."""

    def of(name: Any, index: str = "ix_delivery_cause") -> Select[Any]:
        same = Delivery.error_code == cause.c.code, Delivery.category == cause.c.category
        return _dead(name, connector_id, index).where(*same).correlate(cause)

    since = of(Delivery.failing_since, "ix_delivery_letter_since").where(Delivery.failing_since.is_not(None))
    counted = of(Delivery.id).limit(COUNTED_ROWS_MAX + 1).subquery()
    return select(
        cause.c.code,
        cause.c.category,
        select(func.count()).select_from(counted).scalar_subquery(),
        since.order_by(Delivery.failing_since).limit(1).scalar_subquery(),
        of(Delivery.settled_at).order_by(Delivery.settled_at).limit(1).scalar_subquery(),
        of(Delivery.settled_at).order_by(Delivery.settled_at.desc()).limit(1).scalar_subquery(),
        of(Delivery.error).limit(1).scalar_subquery(),
    )


def _dead(name: Any, connector_id: int, index: str = "ix_delivery_cause") -> Select[Any]:
    mine = select(name).select_from(Delivery).where(Delivery.connector_id == connector_id, DEAD)
    return by_index(mine, Delivery, index)


def _group(
    code: str, category: str, number: int, since: datetime | None, first: datetime, last: datetime, sentence: str
) -> Group:
    begun = min(since, first) if since is not None else first
    return Group(code, category, Total.upto(number), begun, last, without_person(sentence))


#: An address, and what else stands in quotation marks: the values of one record.
_PERSONAL = (re.compile(r"“[^”]*”"), re.compile(r"[^\s“”<>(),;]+@[^\s“”<>(),;]*[^\s“”<>(),;.]"))


def without_person(sentence: str) -> str:
    """Return the sentence of a failure as the cause of many: without the address or the value of one of them."""
    for pattern in _PERSONAL:
        sentence = pattern.sub("“…”", sentence)
    return sentence
