"""The outcomes that a delivery can have, made from its lease and the error it met."""

from __future__ import annotations

from datetime import timedelta

from integration.errors import IntegrationError
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery import retries
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome


def later(leased: LeasedDelivery, error: IntegrationError, wait: timedelta, *, counts: bool = True) -> Outcome:
    """Return that a delivery is tried again after `wait`; `counts` says whether the try counts against the record."""
    return Outcome(
        leased.id,
        None,
        error_code=error.code,
        message=str(error),
        wait=wait,
        faults=leased.faults + (1 if counts else 0),
        run_id=leased.run_id,
        category=retries.category(error),
    )


def held_back(leased: LeasedDelivery, error: IntegrationError) -> Outcome:
    """Return that the connection was at fault: later, and the try does not count against the record."""
    return later(leased, error, retries.HELD_BACK, counts=False)


def ended(
    leased: LeasedDelivery,
    state: DeliveryState,
    error: IntegrationError,
    contact_id: int | None = None,
    *,
    result: str = "",
    partial: bool = False,
) -> Outcome:
    """Return that a delivery ends in `state` because of an error; `partial` says that its contact was written."""
    return Outcome(
        leased.id,
        state,
        result,
        contact_id,
        partial=partial,
        error_code=error.code,
        message=str(error),
        run_id=leased.run_id,
        category=retries.category(error),
    )


def left_out(
    leased: LeasedDelivery, state: DeliveryState, code: str, sentence: str, contact_id: int | None = None
) -> Outcome:
    """Return that nothing more of a delivery is written, and why: `state` is skipped or conflict."""
    return Outcome(leased.id, state, "skipped", contact_id, error_code=code, message=sentence, run_id=leased.run_id)
