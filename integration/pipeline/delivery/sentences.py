"""What a batch says of itself: sentences of the log and lines of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integration import words
from integration.errors import IntegrationError, ServiceError
from integration.mautic.results import Receipt
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.words import counted

#: Failures of one batch that are spelt out in a run's log; the records' table has them all.
FAILURES_LOGGED_MAX = 20


def written(receipt: Receipt) -> str:
    """Return what became of a contact."""
    return "Contact created." if receipt.outcome == "created" else "Contact updated."


def again(error: IntegrationError, wait: timedelta | None) -> str:
    """Return the error and when it is tried again."""
    if wait is None:
        return str(error)
    return f"{error} It is tried again in {words.wait(wait.total_seconds())}."


def tally(outcomes: Sequence[Outcome]) -> str:
    """Return how many were written, skipped, refused and put off."""
    written_ones = sum(o.state is DeliveryState.DELIVERED for o in outcomes)
    skipped = sum(o.state in (DeliveryState.SKIPPED, DeliveryState.CONFLICT) for o in outcomes)
    failed = sum(o.state is DeliveryState.DEAD for o in outcomes)
    later = sum(o.state is None for o in outcomes)
    return f"{written_ones} written, {skipped} skipped, {failed} failed, {later} later"


def tell_runs(
    session: Session, now: datetime, ours: Sequence[Outcome], calls: int, seconds: float, broken: ServiceError | None
) -> None:
    """Write the batch's lines into the logs of the runs that its deliveries belong to."""
    for run_id in sorted({outcome.run_id for outcome in ours if outcome.run_id is not None}):
        mine = [outcome for outcome in ours if outcome.run_id == run_id]
        size, asked = counted(len(mine), "record"), counted(calls, "call")
        text = f"Batch of {size} to Mautic: {tally(mine)}; {asked}, {seconds:.1f} s."
        run_lifecycle.add_line(session, now, run_id, text)
        for outcome in [o for o in mine if o.state is DeliveryState.DEAD][:FAILURES_LOGGED_MAX]:
            run_lifecycle.add_line(session, now, run_id, f"Record {outcome.delivery_id}: {outcome.message}", "error")
        if broken is not None:
            run_lifecycle.add_line(session, now, run_id, f"Waiting: {broken}", "warning")
