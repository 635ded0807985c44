"""What the read-back proof (X9) has shown: how many written contacts were read back, how many differed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integration.pipeline import usage
from integration.words import counted

DAYS = 30


@dataclass(frozen=True, slots=True)
class Proofs:
    """The last `DAYS` days: contacts read back, those of them that differed, and all contacts written."""

    proved: int
    unproved: int
    pushed: int

    @property
    def right(self) -> int:
        """Return how many of those read back had all that was sent."""
        return max(self.proved - self.unproved, 0)

    @property
    def share(self) -> float | None:
        """Return the percentage that was right, None while nothing was read back."""
        return 100 * self.right / self.proved if self.proved else None

    @property
    def sentence(self) -> str:
        """Return what the figures mean."""
        if not self.proved:
            return "Nothing was read back yet: a sample of what the next sync writes will be."
        if not self.unproved:
            return "Every contact that was read back has all that was sent."
        contacts = counted(self.unproved, "contact that was", "contacts that were")
        return f"{contacts} read back differed from what was sent; the sync log names each."


def proofs(session: Session, connector_id: int, now: datetime) -> Proofs:
    """Return the figures of a connector's last `DAYS` days."""
    sums = usage.since(session, connector_id, now - timedelta(days=DAYS))
    return Proofs(sums.proved, sums.unproved, sums.pushed)
