"""Disks that take nothing more: what says so, of the database and of files, and what to tell people."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from integration.errors import IntegrationError

FULL = IntegrationError(
    "disk_full",
    "The disk is full, so nothing can be saved.",
    "Free some space: woo-mautic goes on by itself then, and what waits is not lost.",
)
READ_ONLY = IntegrationError(
    "disk_read_only",
    "The disk or the database can only be read, so nothing can be saved.",
    "Make it writable for the user who runs this: woo-mautic goes on by itself then, and what waits is not lost.",
)
#: Beginning of SQLite's name of an error -> what it says.
_SQLITE = {"SQLITE_FULL": FULL, "SQLITE_READONLY": READ_ONLY}
#: PostgreSQL's codes: disk_full, and read_only_sql_transaction, which a standby or a locked tablespace answers.
_POSTGRESQL = {"53100": FULL, "25006": READ_ONLY}
_SYSTEM = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}


def fault_of(error: BaseException) -> IntegrationError | None:
    """Return what to tell people where a full or read-only disk made an error, None where something else did."""
    return next((fault for each in _layers(error) if (fault := _fault(each)) is not None), None)


def _layers(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the one of the database's driver that it wraps."""
    yield error
    if isinstance(driver := getattr(error, "orig", None), BaseException):
        yield driver


def _fault(error: BaseException) -> IntegrationError | None:
    if isinstance(error, OSError):
        return _SYSTEM.get(error.errno or 0)
    name = str(getattr(error, "sqlite_errorname", None))
    found = next((fault for begin, fault in _SQLITE.items() if name.startswith(begin)), None)
    return found or _POSTGRESQL.get(str(getattr(error, "sqlstate", None)))
