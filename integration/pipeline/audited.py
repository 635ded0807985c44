"""An act and its entry in the audit log are one transaction: neither is ever there without the other.

Who acted, and from where, only the caller knows; the act alone knows when its transaction ends. So an act takes how its
entry is written as the argument `audit`, and calls it last before it commits, only if something was done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

Done = TypeVar("Done")

#: Called with the act's own session and with what it did: the row that it made or changed, or a Diff. It raises
#: whatever keeps the entry from being written, and the act is undone.
Audit = Callable[[Session, Done], None]
#: What an act changed: {field: [before, after]}.
Diff = dict[str, list[Any]]


def unaudited(session: Session, done: object) -> None:
    """Write no entry: for what the program does by itself."""
