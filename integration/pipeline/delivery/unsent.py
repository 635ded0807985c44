"""Writes records of which nothing had to be sent as a batch would have settled them: nothing was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.run import Run
from integration.pipeline import outbox, usage
from integration.pipeline.delivery.batch_result import BatchResult
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox import run_figures
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.words import counted

#: A change and what became of it.
Settled = tuple[Change, Outcome]


def write(
    session: Session, now: datetime, run: Run, changes: Mapping[int, Change], result: BatchResult
) -> Sequence[Settled]:
    """Write deliveries, log, figures and meter, and return what became of each change.

    `changes` are by the numbers that stand for their deliveries in the result.
    """
    settled = [(changes[outcome.delivery_id], outcome) for outcome in result.outcomes]
    made = outbox.add_settled(session, now, run.connector_id, settled, run.id)
    ids = {outcome.delivery_id: number for outcome, number in zip(result.outcomes, made, strict=True)}
    entries = [replace(each, delivery_id=ids[each.delivery_id or 0]) for each in result.entries]
    sync_log_writing.record(session, entries)
    _count(session, now, run, result.outcomes)
    return settled


def write_known(
    session: Session, now: datetime, run: Run, change: Change, result: BatchResult, ids: Sequence[str]
) -> set[str]:
    """Write the same of known records, by their stamps: the change and the result say what is the same of all.

    `ids` are the source ids of those of the change's kind; return those that were written. A stamp that was deleted
    since the page was looked at leaves its record to be read.
    """
    (outcome,), (entry,) = result.outcomes, result.entries
    made = outbox.add_known(session, now, run.connector_id, (change, outcome), run.id, ids)
    if made:
        sync_log_writing.record_known(session, entry, list(made.values()))
        _count(session, now, run, [outcome] * len(made))
    return set(made)


def _count(session: Session, now: datetime, run: Run, outcomes: Sequence[Outcome]) -> None:
    run_figures.count(session, outcomes)
    usage.record(session, run.connector_id, now, skipped=len(outcomes))
    text = f"Of {counted(len(outcomes), 'record', 'records')} nothing had to be sent to Mautic."
    run_lifecycle.add_line(session, now, run.id, text)
