"""SQL that is written once for both databases: upserts, compare-and-swap, hours, prefixes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Compiled,
    CompoundSelect,
    CursorResult,
    Dialect,
    Executable,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert as sql_insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnCollection
from sqlalchemy.sql.expression import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from integration.models.base import Base

#: Lists count the rows that fit their filters exactly up to here, so that they are as quick with millions of rows.
COUNTED_ROWS_MAX = 10_000
#: There are about twenty kinds of them, for each database that a process has open.
_UPSERTS_KEPT = 256
#: What a column's own name must not be, for SQLAlchemy gives that to a parameter itself.
_ALIKE = "of_all_"
#: A query, or a change of rows, whose index is told.
Hinted = TypeVar("Hinted", Select[Any], Update)
#: Given the table and the columns of the new row, returns what a row that is there already gets.
Merge = Callable[[Table, ColumnCollection[str, Any]], Mapping[str, Any]]
#: Given the same, returns which rows that are there already are changed.
Condition = Callable[[Table, ColumnCollection[str, Any]], ColumnElement[bool]]


def upsert(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    changed: Collection[str] | Merge = (),
    *,
    where: Condition | None = None,
    bound: Mapping[str, Any] | None = None,
) -> None:
    """Insert rows; where the primary key is there already, set what is `changed`, with nothing changed leave it.

    `changed` names columns that take the new row's value, or computes them. The rows have the same keys and do not
    repeat a primary key: PostgreSQL refuses to touch a row twice. `changed` and `where` are asked once: what differs
    from call to call they name as parameters, whose values are `bound`.
    """
    if not rows:
        return
    means = changed if callable(changed) else tuple(changed)
    connection = session.connection()
    statement = _compiled(connection.dialect, table_of(model), tuple(rows[0]), means, where)
    # Typed as for statements that are still to be compiled.
    connection.execute(cast(Executable, statement), [{**row, **(bound or {})} for row in rows])


@functools.lru_cache(maxsize=_UPSERTS_KEPT)
def _compiled(
    dialect: Dialect, table: Table, columns: tuple[str, ...], changed: tuple[str, ...] | Merge, where: Condition | None
) -> Compiled:
    """Return an upsert ready to run; SQLAlchemy keeps none of them, and compiling costs ten times what running does."""
    insert = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
    new = insert.excluded
    values = dict(changed(table, new)) if callable(changed) else {name: new[name] for name in changed}
    keys = [column.name for column in table.primary_key]
    if values:
        condition = where(table, new) if where is not None else None
        statement = insert.on_conflict_do_update(index_elements=keys, set_=values, where=condition)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    return statement.compile(dialect=dialect, column_keys=list(columns), for_executemany=True)


def copying(model: type[Base], names: Sequence[str], copied: Mapping[str, Any], *where: ColumnElement[bool]) -> Insert:
    """Return an insert of rows that are alike but for what is `copied`, by column, from rows that the database has.

    What is the same of all is given by `alike`; `names` are the columns of both.
    """
    table = table_of(model)
    values = {name: bindparam(_ALIKE + name, type_=table.c[name].type) for name in names} | dict(copied)
    return sql_insert(table).from_select(names, select(*(values[name] for name in names)).where(*where))


def alike(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a `copying` statement for a row that stands for all."""
    return {_ALIKE + name: value for name, value in row.items()}


def swapped(session: Session, statement: Executable) -> int:
    """Execute an UPDATE or DELETE that names the state it expects; return how many rows were still in it."""
    result = cast("CursorResult[Any]", session.execute(statement))
    return int(result.rowcount)


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour that counts are kept by."""
    return at.replace(minute=0, second=0, microsecond=0)


def begins(session: Session, column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a column begins with a text, by an index on both databases."""
    if is_sqlite(session):
        # A range uses the index, LIKE would not; nothing sorts behind the last character there is.
        return and_(column >= text, column < text + "\U0010ffff")
    found: ColumnElement[bool] = column.startswith(text, autoescape=True)
    return found


def last_first(session: Session, column: Any) -> Any:
    """Return the descending order of a column by the index in which `begins` finds it, so that nothing is sorted."""
    if is_sqlite(session):
        return column.desc()
    # The order of text_pattern_ops; the column's own one is that of the database's language.
    return UnaryExpression(column, modifier=custom_op("USING ~>~"))


def by_index(query: Hinted, model: type[Base], name: str) -> Hinted:
    """Return the query as SQLite is to answer it: by this index of a table, whatever others there are.

    SQLite has no statistics to choose by and takes any index with as many columns that fit, so that a filter walks all
    rows of a connector. It refuses a query that the index cannot answer. PostgreSQL knows how rows are spread.
    """
    hint = f"INDEXED BY {name}"
    if isinstance(query, Update):
        return query.with_hint(hint, dialect_name="sqlite")
    return query.with_hint(model, hint, "sqlite")


def keeping_order(session: Session, column: Any, value: Any) -> ColumnElement[bool]:
    """Return the condition that a column is a value, for rows that are ordered by that column and then by id.

    Where it is told that the column has one value PostgreSQL takes the order by the id alone for the same, and walks
    the primary key from its newest end through millions of others where those that are meant are old.
    """
    found: ColumnElement[bool] = column == value if is_sqlite(session) else column.between(value, value)
    return found


def is_sqlite(session: Session) -> bool:
    """Return whether the session speaks to SQLite; else it is PostgreSQL."""
    return session.get_bind().dialect.name == "sqlite"


def table_of(model: type[Base]) -> Table:
    """Return the table of a mapped class."""
    return cast(Table, model.__table__)


class Total(NamedTuple):
    """How many rows fit the filters of a list, on whatever page; `exact` False means that there are more."""

    number: int
    exact: bool = True

    @classmethod
    def upto(cls, found: int, rows_max: int = COUNTED_ROWS_MAX) -> Total:
        """Return the total of so many rows of which nobody counts more than `rows_max`."""
        return cls(min(found, rows_max), found <= rows_max)


def counted_upto(session: Session, ids: Select[Any] | CompoundSelect[Any], rows_max: int = COUNTED_ROWS_MAX) -> Total:
    """Return how many rows a select finds; it stops counting behind `rows_max`."""
    return Total.upto(session.scalar(number_upto(ids, rows_max)) or 0, rows_max)


def number_upto(ids: Select[Any] | CompoundSelect[Any], rows_max: int = COUNTED_ROWS_MAX) -> Select[tuple[int]]:
    """Return what selects how many rows a select finds, and one more than `rows_max` where there are more than that."""
    return select(func.count()).select_from(ids.limit(rows_max + 1).subquery())


def counted_page(
    session: Session, ids: Select[Any], limit: int, rows_max: int, *, offset: int = 0, before: int = 0
) -> tuple[Total, Sequence[int]]:
    """Return how many rows a select of ids finds, and a page of the newest of them, for no more than the count.

    The page begins behind so many, the last one where there are no more, or before an id. Where the total is not exact
    it is one of just any that were found.
    """
    found = ids.limit(rows_max + 1).cte("found")
    (key,) = found.c
    number = select(func.count()).select_from(found).scalar_subquery()
    page = select(key, number).order_by(key.desc()).limit(limit)
    if offset:
        wanted, last = min(offset, rows_max + 1), (number - 1) // limit * limit
        page = page.offset(select(case((number > wanted, wanted), else_=last)).scalar_subquery())
    rows = session.execute(page.where(key < before) if before else page).all()
    if not rows:
        return (counted_upto(session, ids, rows_max) if before else Total(0)), []
    return Total.upto(rows[0][1], rows_max), [row[0] for row in rows]
