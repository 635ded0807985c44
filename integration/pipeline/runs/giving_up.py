"""What a cancelled run still had waiting: given up some at a time, and owed again when the run goes on.

A run of a large store has a hundred thousand records and more that wait. In one transaction they would keep everybody
else from writing for half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integration.clock import Clock
from integration.errors import IntegrationError
from integration.models.database import Database
from integration.models.run import Run
from integration.pipeline import outbox
from integration.pipeline.runs.locked_run import locked

#: Key in the cursor of a cancelled run: how many records that waited were given up, until they are owed again.
GIVEN_UP = "given_up"
#: So many records are given up, or owed again, in one transaction.
PART = 1_000
#: What was given up does not lie there any more.
GONE = IntegrationError(
    "given_up_gone",
    "Records that this run gave up when it was cancelled were deleted before it could send them.",
    "Resume the run: it does all of it again, from the beginning.",
)


def give_up(session: Session, now: datetime, run: Run, most: int | None = None) -> int:
    """Give up what a run that is to be cancelled has waiting, about `most` records or all; return how many."""
    given_up = outbox.discard(session, now, run.connector_id, run_id=run.id, most=most)
    run.skipped += given_up
    run.cursor = {**run.cursor, GIVEN_UP: run.cursor.get(GIVEN_UP, 0) + given_up}
    return given_up


def by_parts(db: Database, clock: Clock, run_id: int) -> None:
    """Give up what a run has waiting, before the transaction that cancels it; nothing where nobody asked for that."""

    def give_some_up(session: Session) -> bool:
        run = asked(session, run_id)
        if run is None:
            return False
        give_up(session, clock.now(), run, PART)
        # Nothing of a part is given up where lanes have claimed all of it at that moment.
        return outbox.is_any_free(session, run.connector_id, run_id)

    db.write_by_parts(give_some_up)


def asked(session: Session, run_id: int) -> Run | None:
    """Return the run while nothing of its connector is settled; None unless it is to be cancelled and has not ended."""
    run = locked(session, run_id)
    return run if run is not None and run.cancel_asked_at is not None and run.ended_at is None else None


def take_back(session: Session, now: datetime, run: Run) -> bool:
    """Owe again some of what the run gave up, and return whether more of it is left; raises GONE."""
    owed, busy = outbox.take_back(session, now, run.connector_id, run.id, most=PART)
    run.skipped, run.already = run.skipped - owed - busy, run.already + busy
    left: int = run.cursor.get(GIVEN_UP, 0) - owed - busy
    if left > 0 and not owed + busy:
        raise GONE
    run.cursor = {**run.cursor, GIVEN_UP: left} if left > 0 else without(run.cursor)
    return left > 0


def without(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cursor of a run that has nothing left to owe again."""
    return {key: value for key, value in cursor.items() if key != GIVEN_UP}


def is_all_there(session: Session, run: Run) -> bool:
    """Tell whether all that the run gave up can still be sent."""
    known: int = run.cursor.get(GIVEN_UP, 0)
    return outbox.given_up_count(session, run.id) == known
