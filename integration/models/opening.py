"""What keeps a database from being opened at start, said in a sentence with what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import ArgumentError, DBAPIError

from integration.errors import SettingError
from integration.masking import mask_text
from integration.models.disk_faults import fault_of

NAME = "DATABASE_URL"
_TEXT_SHOWN_MAX_CHARS = 300
#: Beginning of SQLite's name of an error -> sentence, what to do.
_SQLITE = {
    "SQLITE_NOTADB": ("The database file is not a SQLite database.", "Name another file, or put a backup back."),
    "SQLITE_CORRUPT": (
        "The database file is damaged.",
        "Put a backup back; `sqlite3 FILE .recover` saves much.",
    ),
    "SQLITE_BUSY": (
        "The database is locked by another process.",
        "Stop what holds it, such as a backup or a second woo-mautic, and start again.",
    ),
    "SQLITE_CANTOPEN": ("The database file cannot be opened.", "Check that its folder is there and can be written."),
    "SQLITE_IOERR": ("The disk of the database cannot be read or written.", "Look at the disk and the system's log."),
}
NEWER = SettingError(
    NAME,
    "The database is newer than this program.",
    "Start the version that made it, or put back a backup from before that version.",
)
#: Only what puts a backup back leaves tables without a version of their schema.
BROKEN_OFF = SettingError(
    NAME,
    "The database holds half of a backup: putting it back was broken off.",
    "Make an empty database, name it in DATABASE_URL, and restore again.",
)


@contextmanager
def said() -> Iterator[None]:
    """Turn what keeps a database from being opened or brought to the newest schema into a SettingError."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        told = _told(getattr(error, "orig", None) or error)
        if told is None:
            raise
        raise told from error
    except (ArgumentError, UnicodeError) as error:
        raise unusable() from error


def unusable() -> SettingError:
    """Return the error of an address that cannot be taken apart; it may hold a password, so it is not shown."""
    return SettingError(
        NAME,
        "DATABASE_URL cannot be read.",
        "Write sqlite:///file or postgresql://user:password@host:5432/name, with %-codes for odd characters.",
    )


def _told(error: BaseException) -> SettingError | None:
    """Return what to say of an error of the database's driver, None for one that is this program's own fault."""
    if (fault := fault_of(error)) is not None:
        return SettingError(NAME, fault.sentence, fault.hint)
    if isinstance(error, sqlite3.Error):
        name = str(getattr(error, "sqlite_errorname", None))
        known = next((words for begin, words in _SQLITE.items() if name.startswith(begin)), None)
        return SettingError(NAME, *known) if known else None
    if type(error).__name__ != "OperationalError":
        return None
    reason = " ".join(mask_text(str(error)).split())[:_TEXT_SHOWN_MAX_CHARS]
    return SettingError(NAME, f"PostgreSQL does not answer: {reason}", "Check DATABASE_URL and the database server.")
