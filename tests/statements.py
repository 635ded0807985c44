"""What a piece of code asks of the database: its statements as they were sent, how long they took, and their plans."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass
class Statement:
    """A statement as its driver got it, with its values, and the seconds until its answer."""

    text: str
    values: Any
    seconds: float = 0.0

    @property
    def reads(self) -> bool:
        """Return whether it only looks."""
        return self.text.lstrip().upper().startswith(("SELECT", "WITH"))

    @property
    def finds(self) -> bool:
        """Return whether it has rows to find: to read, to change or to delete them."""
        return self.reads or self.text.lstrip().upper().startswith(("UPDATE", "DELETE"))


@contextmanager
def caught(engine: Engine) -> Iterator[list[Statement]]:
    """Give a list that fills with the statements of all connections, but for those of several rows at once."""
    found: list[Statement] = []
    going: dict[int, tuple[Statement, float]] = {}

    def before(connection: Any, cursor: Any, text: str, values: Any, context: Any, many: bool) -> None:
        if not many:
            found.append(Statement(text, values))
            going[id(cursor)] = found[-1], time.perf_counter()

    def after(connection: Any, cursor: Any, *_: Any) -> None:
        if id(cursor) in going:
            statement, began = going.pop(id(cursor))
            statement.seconds = time.perf_counter() - began

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def plan(connection: Connection, statement: Statement, words: str = "") -> Sequence[str]:
    """Return the lines of a statement's plan; `words` are PostgreSQL's options in brackets."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", statement.values)
        return [str(row[3]) for row in rows]
    return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {words} {statement.text}", statement.values)]
