"""What follows an order's write: a note, a segment, an e-mail; notes and e-mails follow events only (P39, P40, P42)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from integration.mapping import status_dates, triggers
from integration.mapping.notes import note, send_email
from integration.plans import FollowUp, SegmentAdd
from integration.records import Order
from integration.settings import OrderModule


@dataclass(frozen=True, slots=True)
class Sighting:
    """How an order was seen in its status.

    `reached_at` is when it reached the status if this sighting stands for that event, None for a mere sighting.
    `historical` says that an import or a replay brought it: a person asked for it, so notes are written whenever the
    status was reached, and e-mails never sent. `triggers` maps a trigger to the moment it was set (ISO).
    """

    reached_at: datetime | None = None
    historical: bool = False
    triggers: Mapping[str, str] = field(default_factory=dict)

    def starts(self, trigger: str) -> bool:
        """Tell whether the status was reached, and not before the trigger was set."""
        return self.reached_at is not None and not triggers.is_before(self.reached_at, trigger, self.triggers)


def steps(
    order: Order, module: OrderModule, seen: Sighting, decimals: int | None = None, name_space: str = ""
) -> tuple[FollowUp, ...]:
    """Return what is to be done after the contact was written, in this order; `decimals` are the shop's for money."""
    found: list[FollowUp] = [note(order, decimals, name_space)] if module.notes and _notes(seen) else []
    segment, email = module.segments.get(order.status, 0), module.emails.get(order.status, 0)
    if segment > 0:
        found.append(SegmentAdd(segment, order.source_id, order.status))
    if email > 0 and not seen.historical and seen.starts(triggers.email_of(order.status)):
        found.append(send_email(order, email, decimals))
    return tuple(found)


def _notes(seen: Sighting) -> bool:
    return seen.reached_at is not None if seen.historical else seen.starts(triggers.NOTES)


def withheld(order: Order, module: OrderModule, seen: Sighting) -> str:
    """Return why the status' e-mail does not follow a live change, "" when it does or none is set.

    Imports say nothing: of all their records none sends an e-mail.
    """
    trigger = triggers.email_of(order.status)
    if module.emails.get(order.status, 0) <= 0 or seen.historical or seen.starts(trigger):
        return ""
    if seen.reached_at is not None:
        why = f"the status “{order.status}” was reached on {_said(seen.reached_at)}, before this e-mail was set"
        return f"No e-mail for this change: {why}."
    known = status_dates.kept(order)
    if known is not None:
        return f"No e-mail for this change: the order reached the status “{order.status}” on {_said(known)} already."
    return f"No e-mail for this change: it was not seen to bring the order to the status “{order.status}”."


def _said(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y at %H:%M} UTC"
