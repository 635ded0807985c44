"""Mautic's Do Not Contact: what stands at a contact, and how it is set or taken away in a row of a batch.

A row with an entry sets it, with reason 0 takes it away, in batches of both kinds (mautic:203, mautic:204, mautic:411,
mautic:412, mautic:413). Setting it anew overwrites the reason of an entry that is there (mautic:195), and taking it
away takes whatever is there, an unsubscription too: so it is looked first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integration.mautic.search import entries
from integration.plans import DoNotContact

#: The name in a row of a batch.
ROW = "doNotContact"
CHANNEL = "email"
#: Reasons by Mautic's numbers; others come from whoever writes them by the API (mautic:406).
UNSUBSCRIBED, BOUNCED, MANUAL = 1, 2, 3
#: How the comments of all our entries end, whatever shop they are of.
OURS = "(woo-mautic)"


@dataclass(frozen=True, slots=True)
class Barred:
    """One entry of a contact for e-mails."""

    reason: int
    comment: str = ""

    def is_ours(self, comment: str = "") -> bool:
        """Tell whether we have set it, for this very shop where its comment is given."""
        said = self.comment.strip()
        return self.reason == MANUAL and (said == comment if comment else said.endswith(OURS))


def of_contact(contact: Mapping[str, Any]) -> Barred | None:
    """Return a contact's entry for e-mails, None for who may be written to; reason 0 is none."""
    for entry in entries(contact, ROW):
        reason = _number(entry.get("reason"), MANUAL)
        if entry.get("channel") == CHANNEL and reason:
            return Barred(reason, str(entry.get("comments") or ""))
    return None


def is_told(contact: Mapping[str, Any]) -> bool:
    """Tell whether a contact as it is shown says anything of it."""
    return ROW in contact


def row(wanted: DoNotContact) -> list[dict[str, Any]]:
    """Return what a row of a batch says."""
    if not wanted.wanted:
        return [{"channel": CHANNEL, "reason": 0}]
    return [{"channel": CHANNEL, "reason": MANUAL, "comments": wanted.comment}]


def of_row(said: Any) -> DoNotContact | None:
    """Return what a row that was sent said, None for nothing."""
    first = said[0] if isinstance(said, list) and said else None
    if not isinstance(first, Mapping):
        return None
    return DoNotContact(bool(first.get("reason")), str(first.get("comments") or ""))


def differs(wanted: DoNotContact, contact: Mapping[str, Any]) -> list[bool] | None:
    """Return [wanted, in Mautic] where a contact is not as it is to be, None where it is or does not tell.

    An entry that is not ours stands, whatever the shop says.
    """
    if not is_told(contact):
        return None
    there = of_contact(contact)
    if wanted.wanted:
        return [True, False] if there is None else None
    return [False, True] if there is not None and there.is_ours(wanted.comment) else None


def _number(value: Any, default: int) -> int:
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
