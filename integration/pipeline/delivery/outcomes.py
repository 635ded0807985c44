"""The outcomes that a delivery can have, made from its lease and the error it met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from integration.errors import IntegrationError, SettingError
from integration.mautic.results import Receipt
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery import retries
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.plans import Adjustment

#: Error code of a record that was written without values for which Mautic has no field.
FIELDS_MISSING = "fields_missing"
#: Error code of a record all of which Mautic has.
UNCHANGED = "unchanged"
_NOTHING_CHANGED = "Nothing has changed since the last sync."
_CREATE = "Create them under Mautic Fields, then send the record again."


def later(leased: LeasedDelivery, error: IntegrationError, wait: timedelta, *, counts: bool = True) -> Outcome:
    """Return that a delivery is tried again after `wait`; `counts` says whether the try counts against the record."""
    return Outcome(
        leased.id,
        None,
        leased.result,
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


def written(leased: LeasedDelivery, receipt: Receipt | None) -> str:
    """Return what became of the contact by a delivery, all its tries together: who was created once stays created."""
    if receipt is None:
        return leased.result or "updated"
    return leased.result if leased.result == "created" else receipt.outcome


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


def delivered(
    leased: LeasedDelivery, contact_id: int, result: str, withheld: str, missing: Sequence[Adjustment] = ()
) -> Outcome:
    """Return that a delivery was written; it is partial where Mautic lacks the fields of some of its values."""
    if not missing:
        return Outcome(leased.id, DeliveryState.DELIVERED, result, contact_id, message=withheld, run_id=leased.run_id)
    names = ", ".join(sorted({each.field for each in missing}))
    error = SettingError(FIELDS_MISSING, f"Mautic lacks these fields, so their values were left out: {names}.", _CREATE)
    return replace(
        ended(leased, DeliveryState.DELIVERED, error, contact_id, result=result, partial=True),
        error_code=FIELDS_MISSING,
    )


def unchanged(leased: LeasedDelivery, contact_id: int | None, *said: str) -> Outcome:
    """Return that nothing of a delivery had to be written, and what else is `said` of that."""
    sentence = " ".join(filter(None, (_NOTHING_CHANGED, *said)))
    return left_out(leased, DeliveryState.SKIPPED, UNCHANGED, sentence, contact_id)


def left_out(
    leased: LeasedDelivery, state: DeliveryState, code: str, sentence: str, contact_id: int | None = None
) -> Outcome:
    """Return that nothing more of a delivery is written, and why: `state` is skipped or conflict."""
    return Outcome(leased.id, state, "skipped", contact_id, error_code=code, message=sentence, run_id=leased.run_id)
