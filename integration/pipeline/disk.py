"""The disk of this process: whether it takes what is written, how much of it is free, and waiting until there is room.

What is known is kept in memory: a full disk takes no note of itself.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert
from sqlalchemy.exc import SQLAlchemyError

from integration.config import Deployment
from integration.errors import IntegrationError
from integration.models.database import Database, waiting
from integration.models.disk_faults import READ_ONLY, fault_of
from integration.models.installation import Installation

log = logging.getLogger(__name__)

#: A process tries at most so often whether the disk takes something; in between the last result holds.
LOOK_EVERY_S = 5.0
#: What real work has met counts so long whatever a trial says: a small one may find room where larger writes do not.
BELIEVED_S = 30.0
#: What waits for room tries again so often.
PAUSE_S = 2.0
LOGGED_EVERY_S = 60.0
#: So much is written for a try: more than one page of a database, so that free room within a page does not deceive.
_TRIAL_CHARS = 16 * 1024
#: The trial's row goes in the transaction that made it, so nobody ever sees it.
_TRIAL_ID = 2
#: Of a small disk this part must be free instead of DISK_FREE_MIN_MB.
FREE_MIN_PART = 0.02
_MB = 1024 * 1024
#: What to do about a shortage.
MAKE_ROOM = "Free some space: on a full disk nothing can be saved, so webhooks and sign-ins are refused."


class Disk:
    """What one process knows of the disk below the database and the instance folder; safe for several threads."""

    def __init__(self, db: Database, deployment: Deployment) -> None:
        self._db = db
        self._folder = deployment.instance_path
        self._free_min_mb = deployment.disk_free_min_mb
        self._lock = threading.Lock()
        self._fault: IntegrationError | None = None
        self._is_here = True
        self._look_at = self._log_at = 0.0
        #: When people were last told without the book of alerts, and whether they are still to hear of the end.
        self.told_at: datetime | None = None
        self.owes_end = False

    def look(self) -> IntegrationError | None:
        """Return why nothing can be written now, None when it can; tried by writing, at most once in LOOK_EVERY_S."""
        with self._lock:
            if time.monotonic() < self._look_at:
                return self._fault
            self._look_at = time.monotonic() + LOOK_EVERY_S
        self._fault = self._trial()
        return self._fault

    def is_here(self) -> bool:
        """Return whether the last fault was this machine's, and not that of a database on a server of its own."""
        return self._is_here

    def is_blocked(self) -> bool:
        """Return whether a fault that was met still lasts; while none is known nothing is written to find out."""
        return self._fault is not None and self.look() is not None

    def met(self, error: BaseException) -> bool:
        """Return whether the disk made an error; then it is known from now on, and logged once a minute."""
        fault = fault_of(error)
        if fault is None:
            return False
        with self._lock:
            now = time.monotonic()
            self._fault, self._look_at = fault, now + BELIEVED_S
            self._is_here = self._db.sqlite or not isinstance(error, SQLAlchemyError)
            due = now >= self._log_at
            self._log_at = now + LOGGED_EVERY_S if due else self._log_at
        if due:
            log.error("%s", fault)
        return True

    def tolerated(self, job: Callable[[], object]) -> Callable[[], None]:
        """Return a job that the clock starts without the disk's faults: it is done at its next time."""

        def run() -> None:
            try:
                job()
            except Exception as error:
                if not self.met(error):
                    raise

        return run

    def patiently(self, act: Callable[[], None], stop: threading.Event) -> None:
        """Do something, again and again while the disk refuses it, until `stop`: then its error is raised."""
        while self._is_refused(act, stop):
            stop.wait(PAUSE_S)

    def _is_refused(self, act: Callable[[], None], stop: threading.Event) -> bool:
        try:
            act()
        except Exception as error:
            if not self.met(error) or stop.is_set():
                raise
            return True
        if self._fault is not None:
            # Work was written again, so the fault need not be believed any longer.
            self._look_at = 0.0
        return False

    def shortage(self) -> str:
        """Return what to say where too little of the instance's disk is free, "" where there is enough."""
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return ""
        least = min(self._free_min_mb * _MB, int(usage.total * FREE_MIN_PART))
        # The limit is named and not what is left, which would be another sentence at every look.
        return f"Less than {max(least // _MB, 1):,} MB of the disk are free." if usage.free < least else ""

    def _trial(self) -> IntegrationError | None:
        self._is_here = True
        try:
            self._write_file(self._folder / "logs")
        except PermissionError:
            return READ_ONLY
        except OSError as error:
            return fault_of(error) or self._fault
        self._is_here = self._db.sqlite
        return self._write_row()

    def _write_row(self) -> IntegrationError | None:
        try:
            with waiting(0), self._db.write() as session:
                row = {"id": _TRIAL_ID, "public_address": "", "key_check": secrets.token_hex(_TRIAL_CHARS // 2)}
                session.execute(insert(Installation).values(row))
                session.execute(delete(Installation).where(Installation.id == _TRIAL_ID))
        except SQLAlchemyError as error:
            # Another error, such as a writer that is just busy, says nothing of the disk.
            return fault_of(error) or self._fault
        return None

    def _write_file(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f".room-{os.getpid()}"
        try:
            path.write_bytes(secrets.token_bytes(_TRIAL_CHARS))
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)
