"""The figures of runs: what became of the records that each of them has to send."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, Integer, bindparam, case, func, select, update
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery, DeliveryState
from integration.models.run import Run
from integration.models.sql import table_of
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox.states import OPEN

_COLUMN = {
    DeliveryState.DELIVERED: "pushed",
    DeliveryState.SKIPPED: "skipped",
    DeliveryState.DISCARDED: "skipped",
    DeliveryState.CONFLICT: "skipped",
}
_RUN = table_of(Run)
_GOES = _RUN.c.ended_at.is_(None)


def count(session: Session, outcomes: Sequence[Outcome], calls: int = 0) -> None:
    """Raise the counters of the runs that the settled deliveries belong to; `calls` go to the first of them.

    What is settled after the end of its run counts as late: the figures of an ended run do not change.
    """
    sums: dict[int, Counter[str]] = {}
    for outcome in outcomes:
        if outcome.run_id is not None and outcome.state is not None:
            numbers = sums.setdefault(outcome.run_id, Counter())
            numbers[_COLUMN.get(outcome.state, "failed")] += 1
            numbers["partial"] += outcome.partial
    for place, (run_id, numbers) in enumerate(sorted(sums.items())):
        _raise(session, run_id, {**numbers, "calls": calls if place == 0 else 0})


def _raise(session: Session, run_id: int, numbers: dict[str, int]) -> None:
    values = {f"by_{name}": number for name, number in numbers.items()}
    session.connection().execute(_raising(tuple(numbers)), {"of_run": run_id, **values})


@functools.cache
def _raising(names: tuple[str, ...]) -> Executable:
    values: dict[str, Any] = {}
    for name in names:
        number = bindparam(f"by_{name}", type_=Integer)
        values[name] = _RUN.c[name] + case((_GOES, number), else_=0)
        if (late := f"late_{name}") in _RUN.c:
            values[late] = _RUN.c[late] + case((_GOES, 0), else_=number)
    return update(_RUN).where(_RUN.c.id == bindparam("of_run")).values(**values)


def reopen_figures(session: Session, run: Run) -> None:
    """Let the figures of a run that goes on take in what was settled since its end, and what was sent without it."""
    late = (run.late_pushed, run.late_skipped, run.late_failed)
    still = session.scalar(select(func.count()).where(Delivery.run_id == run.id, OPEN)) or 0
    run.already += max(run.waiting - sum(late) - still, 0)
    run.pushed, run.skipped, run.failed = run.pushed + late[0], run.skipped + late[1], run.failed + late[2]
    run.late_pushed = run.late_skipped = run.late_failed = run.waiting = 0
