"""What dead letters wait for: their causes, each counted, with when it began and one of its sentences (B6)."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, ScalarSelect, Select, bindparam, case, func, literal_column, select
from sqlalchemy.orm import Session, aliased

from integration.models.delivery import Delivery
from integration.models.sql import COUNTED_ROWS_MAX, Total, by_index

#: So many causes are told apart.
GROUPS_MAX = 50
#: All causes together are counted through so many records: where there are many, each is counted less far.
LOOKED_THROUGH_MAX = 24_000


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
    bounds = {"causes": limit, "looked_through": LOOKED_THROUGH_MAX}
    found = [_group(*row) for row in session.execute(_told(), {"connector": connector_id, **bounds}).tuples()]
    return sorted(found, key=lambda group: -group.total.number)


@functools.cache
def _told() -> Select[Any]:
    """Return what tells :causes causes of a :connector in one question, each by a few looks at the ends of an index.

    It is made once, which costs more than its answer.
    """
    cause = _causes()

    def of(name: Any, index: str) -> Select[Any]:
        same = Delivery.error_code == cause.c.code, Delivery.category == cause.c.category
        return _dead(Delivery, name, index).where(*same).correlate(cause)

    most = _each_counted(cause)
    newest = Delivery.settled_at.desc()
    # Among the oldest PostgreSQL passes by what retention has deleted.
    counted = of(Delivery.id, "ix_delivery_cause").order_by(newest).limit(most).subquery()
    since = of(Delivery.failing_since, "ix_delivery_letter_since").where(Delivery.failing_since.is_not(None))
    last = of(Delivery.settled_at, "ix_delivery_cause").order_by(newest)
    return select(
        cause.c.code,
        cause.c.category,
        select(func.count()).select_from(counted).scalar_subquery(),
        most,
        since.order_by(Delivery.failing_since).limit(1).scalar_subquery(),
        cause.c.first,
        last.limit(1).scalar_subquery(),
        cause.c.error,
    )


def _each_counted(cause: CTE) -> ScalarSelect[int]:
    """Return of how many of its records each cause is counted, one more than is said."""
    number, through = func.count(), bindparam("looked_through", type_=Integer)
    many = number * (COUNTED_ROWS_MAX + 1) > through
    most = case((many, through // number), else_=COUNTED_ROWS_MAX + 1)
    return select(most).select_from(cause).scalar_subquery()


def _causes() -> CTE:
    """Return the oldest failure of each cause, from one to the next in the index, without the rows between."""
    order = Delivery.error_code, Delivery.category, Delivery.settled_at
    told = [Delivery.error_code.label("code"), Delivery.category, Delivery.settled_at.label("first"), Delivery.error]
    oldest = _dead(Delivery, Delivery.id).order_by(*order).limit(1)
    start = select(*told, literal_column("1").label("place")).where(Delivery.id == oldest.scalar_subquery())
    cause = start.cte("cause", recursive=True)
    each = aliased(Delivery)
    columns = (each.error_code, each.category, each.settled_at, each.error, cause.c.place + 1)
    following = select(*columns).join_from(cause, each, each.id == _behind(cause))
    return cause.union_all(following.where(cause.c.place < bindparam("causes", type_=Integer)))


def _behind(cause: CTE) -> ColumnElement[int]:
    """Return the id of the oldest failure of the cause behind one."""
    each = aliased(Delivery)
    ids = _dead(each, each.id).limit(1).correlate(cause)
    # Both columns at once are sought by SQLite with all rows of the cause.
    same = ids.where(each.error_code == cause.c.code, each.category > cause.c.category)
    beyond = ids.where(each.error_code > cause.c.code)
    return func.coalesce(
        same.order_by(each.category, each.settled_at).scalar_subquery(),
        beyond.order_by(each.error_code, each.category, each.settled_at).scalar_subquery(),
    )


def _dead(model: Any, column: Any, index: str = "ix_delivery_cause") -> Select[Any]:
    # As the partial indexes have it: a bound value would keep SQLite from using them.
    dead = model.state == literal_column("'dead'")
    mine = model.connector_id == bindparam("connector", type_=model.connector_id.type)
    return by_index(select(column).select_from(model).where(mine, dead), model, index)


def _group(
    code: str,
    category: str,
    number: int,
    most: int,
    since: datetime | None,
    first: datetime,
    last: datetime,
    sentence: str,
) -> Group:
    begun = min(since, first) if since is not None else first
    return Group(code, category, Total.upto(number, most - 1), begun, last, without_person(sentence))


#: An address, and what else stands in quotation marks: the values of one record.
_PERSONAL = (re.compile(r"“[^”]*”"), re.compile(r"[^\s“”<>(),;]+@[^\s“”<>(),;]*[^\s“”<>(),;.]"))


def without_person(sentence: str) -> str:
    """Return the sentence of a failure as the cause of many: without the address or the value of one of them."""
    for pattern in _PERSONAL:
        sentence = pattern.sub("“…”", sentence)
    return sentence
