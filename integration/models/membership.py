"""Tells which of many given values a column has, with one parameter for all of them.

SQLAlchemy writes a parameter for each value of `in_` and makes the statement anew for each number of them, which for a
page of a hundred records costs more than the database's answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Boolean, Dialect, Integer, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

#: What no column has in a text. SQLite's JSON ends a text at NUL, so that its beginning would be found.
_UNHELD = re.compile("[\0\ud800-\udfff]")
_LEAST, _MOST = -(2**63), 2**63 - 1


class Several(TypeDecorator[Collection[Any]]):
    """Many texts or whole numbers as one parameter: a JSON text for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, *, numbers: bool) -> None:
        super().__init__()
        self.numbers = numbers

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return how the database is given them."""
        if dialect.name == "sqlite":
            return Text()
        return ARRAY(BigInteger()) if self.numbers else ARRAY(Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """Return the values as the database is given them; without any, nothing is among them."""
        values = list(_numbers(value or ()) if self.numbers else _texts(value or ()))
        return json.dumps(values) if dialect.name == "sqlite" else values


def _numbers(values: Collection[Any]) -> Iterator[int]:
    return (each for each in map(int, values) if _LEAST <= each <= _MOST)


def _texts(values: Collection[Any]) -> Iterator[str]:
    return (each for each in map(str, values) if not _UNHELD.search(each))


class _Among(FunctionElement[bool]):
    """A column and the values that it is looked for among."""

    inherit_cache = True
    type = Boolean()

    def self_group(self, against: Any = None) -> Any:
        """Return the condition as it is: “= 1” behind it would keep SQLite from its indexes."""
        return self


def among(column: Any, values: Collection[Any] | BindParameter[Any]) -> Any:
    """Return the condition that a column of texts or whole numbers has one of the values; no value is among none.

    For a statement that is made once the values are a `bindparam` by name, given as a collection when it is run.
    """
    kind = Several(numbers=isinstance(column.type, Integer | BigInteger))
    if isinstance(values, BindParameter):
        return _Among(column, bindparam(values.key, type_=kind))
    return _Among(column, bindparam(None, values, type_=kind, unique=True))


@compiles(_Among, "sqlite")
def _of_sqlite(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **how)} IN (SELECT value FROM json_each({compiler.process(values, **how)}))"


@compiles(_Among, "postgresql")
def _of_postgresql(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **how)} = ANY ({compiler.process(values, **how)})"
