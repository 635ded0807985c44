"""The same refusal on record after record is a setting of Mautic, and not the fault of each record (decision 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from integration.errors import NotSetUp, Rejected
from integration.mautic.answers import SERVICE, names_a_value
from integration.mautic.results import Receipt
from integration.mautic.verdicts import REQUIRED

#: So many different people in a row with the same refusal mean that a setting is at fault, not the records.
PEOPLE_IN_A_ROW = 3


def of(alike: dict[tuple[str, ...], set[str]], receipts: Sequence[Receipt]) -> NotSetUp | None:
    """Return the cause that holds the connector, None while the records may be to blame.

    `alike` is what lasts from batch to batch: code and fields of a refusal -> the people who met it since a contact
    was last created. Only refusals count that name no value of the row, for a wrong value is its record's own.
    """
    if any(receipt.outcome == "created" for receipt in receipts):
        alike.clear()
    found = None
    for receipt, error in _unexplained(receipts):
        people = alike.setdefault((error.code, *sorted(error.details)), set())
        people.add(receipt.key)
        if len(people) >= PEOPLE_IN_A_ROW:
            found = NotSetUp(SERVICE, error.code, error.sentence, error.hint, status=error.status)
    return found


def _unexplained(receipts: Iterable[Receipt]) -> Iterable[tuple[Receipt, Rejected]]:
    for receipt in receipts:
        error = receipt.error
        if not isinstance(error, Rejected) or error.code not in (REQUIRED, "refused"):
            continue
        if not names_a_value(receipt.sent or {}, error.details):
            yield receipt, error
