"""How leased work ends: it was cancelled, stopped or lost, or an error broke it off, whose true cause is told."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError as PoolTimeout

from integration.errors import IntegrationError
from integration.models.disk_faults import fault_of

log = logging.getLogger(__name__)

INTERNAL = "internal"
_SQLITE_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN")
_HINT = "The application log (Logs) has the details; send them to whoever looks after this installation."


class Cancelled(Exception):
    """Somebody asked the work to stop."""


class Paused(Exception):
    """Somebody asked the work to rest; it keeps its place."""


class Stopped(Exception):
    """This process is to end; the work goes on in another."""


class Lost(Exception):
    """Another process has taken the work over."""


def cause_of(error: BaseException, what: str) -> IntegrationError:
    """Return what to tell people of an error that ended `what`, such as "The run".

    An IntegrationError speaks for itself. Any other is a fault of this program: its type is told; its text may hold
    anything, so it goes with the traceback into the application log, where secrets are masked.
    """
    if isinstance(error, IntegrationError):
        return error
    if (fault := fault_of(error)) is not None:
        log.error("%s stopped: %s", what, fault)
        return fault
    log.error("%s stopped over an unexpected error.", what, exc_info=error)
    if is_passing(error):
        sentence = f"{what} stopped because the database did not answer ({type(error).__name__})."
        return IntegrationError("database", sentence, "Look at the disk and the database server, then start it again.")
    sentence = f"{what} stopped over an error in woo-mautic itself: {type(error).__name__}."
    return IntegrationError(INTERNAL, sentence, _HINT)


def is_passing(error: BaseException) -> bool:
    """Tell whether the database was locked or away, or the disk full: that passes, and the work is tried again."""
    if fault_of(error) is not None:
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # SQLite calls a wrong statement an operational error too, and names the kind apart.
    name = str(getattr(getattr(error, "orig", None), "sqlite_errorname", None) or "SQLITE_BUSY")
    passing = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
    return passing and name.startswith(_SQLITE_PASSING)
