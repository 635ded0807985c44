"""Compiled statements that all engines of a test process share: compiling them was a seventh of a page's test.

SQLAlchemy keeps them with the engine, and with each of the engine's dialects; nearly every test opens an engine anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_SHARED: LRUCache[Any, Any] = LRUCache(5000)


def _look(dialect: DefaultDialect) -> tuple[Any, ...]:
    """Return what the SQL of a statement and the conversion of its values depend on."""
    compilers = dialect.statement_compiler, dialect.ddl_compiler, dialect.type_compiler_instance.__class__
    return type(dialect), compilers, dialect.paramstyle, dialect.server_version_info


def _alike(dialect: DefaultDialect, other: object) -> bool:
    """Say whether a statement that was compiled for one of two dialects is good for the other."""
    return dialect is other or (isinstance(other, DefaultDialect) and _look(dialect) == _look(other))


def _hash(dialect: DefaultDialect) -> int:
    return hash(type(dialect))


def _take(dialect: type[DefaultDialect], engine: Engine) -> None:
    """Give an engine that was just made the statements that others have compiled."""
    if engine._compiled_cache is not None:
        engine._compiled_cache = _SHARED


def share() -> None:
    """Let every engine that is made from now on take its statements from here."""
    DefaultDialect.__eq__ = _alike  # type: ignore[method-assign, assignment]
    DefaultDialect.__hash__ = _hash  # type: ignore[method-assign]
    DefaultDialect.engine_created = classmethod(_take)  # type: ignore[method-assign, assignment]
