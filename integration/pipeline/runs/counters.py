"""The counters of runs: what became of the records that each of them put on the road."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.models.run import Run
from integration.pipeline import outbox

_COLUMN = {
    outbox.DeliveryState.DELIVERED: "pushed",
    outbox.DeliveryState.SKIPPED: "skipped",
    outbox.DeliveryState.DISCARDED: "skipped",
    outbox.DeliveryState.CONFLICT: "skipped",
}


def count(session: Session, outcomes: Sequence[outbox.Outcome], calls: int) -> None:
    """Raise the counters of the runs that the settled deliveries belong to; `calls` go to the first of them."""
    sums: dict[int, dict[str, int]] = {}
    for outcome in outcomes:
        if outcome.run_id is not None and outcome.state is not None:
            column = _COLUMN.get(outcome.state, "failed")
            numbers = sums.setdefault(outcome.run_id, {"pushed": 0, "skipped": 0, "failed": 0})
            numbers[column] += 1
    for place, (run_id, numbers) in enumerate(sorted(sums.items())):
        values: dict[str, Any] = {name: getattr(Run, name) + number for name, number in numbers.items() if number}
        if place == 0 and calls:
            values["calls"] = Run.calls + calls
        session.execute(
            update(Run).where(Run.id == run_id).values(**values).execution_options(synchronize_session=False)
        )
