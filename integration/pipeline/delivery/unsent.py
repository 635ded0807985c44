"""Writes records of which nothing had to be sent as a batch would have settled them: nothing was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.delivery import DeliveryState
from integration.models.run import Run
from integration.pipeline import outbox, usage
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox import run_figures
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry
from integration.words import counted

#: A change and what became of it.
Settled = tuple[Change, Outcome]
SKIP = "skip"


def write(session: Session, now: datetime, run: Run, settled: Sequence[Settled], entries: Sequence[Entry]) -> None:
    """Write deliveries, log, figures and meter; the entries name the deliveries by their outcomes' numbers."""
    outcomes = [outcome for _, outcome in settled]
    made = outbox.add_settled(session, now, run.connector_id, settled, run.id)
    ids = {outcome.delivery_id: number for outcome, number in zip(outcomes, made, strict=True)}
    sync_log_writing.record(session, [replace(each, delivery_id=ids[each.delivery_id or 0]) for each in entries])
    run_figures.count(session, outcomes)
    usage.record(session, run.connector_id, now, skipped=len(outcomes))
    text = f"Of {counted(len(outcomes), 'record', 'records')} nothing had to be sent to Mautic."
    run_lifecycle.add_line(session, now, run.id, text)


def outcome(number: int, run: Run, code: str, message: str, contact_id: int | None) -> Outcome:
    """Return that a record was skipped; `number` stands for its delivery until that has an id."""
    return Outcome(
        number, DeliveryState.SKIPPED, "skipped", contact_id, error_code=code, message=message, run_id=run.id
    )


def entry(now: datetime, run: Run, change: Change, skipped: Outcome) -> Entry:
    """Return what the sync log says of a record that was skipped."""
    return Entry(
        connector_id=run.connector_id,
        at=now,
        type=change.kind,
        object_id=change.number or change.source_id,
        action=SKIP,
        message=skipped.message,
        contact_id=skipped.contact_id,
        source_id=change.source_id,
        person_key=change.ordering_key,
        delivery_id=skipped.delivery_id,
        run_id=run.id,
    )
