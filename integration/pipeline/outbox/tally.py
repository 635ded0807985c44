"""How many deliveries stand where, by the hour they were accepted in: kept with every change of state."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy.orm import Session

from integration.models import counting
from integration.models.counts import RecordCount
from integration.models.delivery import DeliveryState
from integration.models.sql import hour_of

#: (hour, kind, state, result) of models.RecordCount.
CountKey = tuple[datetime, str, str, str]
OPEN = "open"


class Tally:
    """Collects moves of one connector's deliveries between states; `write` adds them to the counts."""

    def __init__(self, connector_id: int) -> None:
        self._connector_id = connector_id
        self._moves: Counter[CountKey] = Counter()

    def enter(self, created_at: datetime, kind: str, number: int = 1) -> None:
        """Count deliveries that were accepted or opened again."""
        self._moves[hour_of(created_at), kind, OPEN, ""] += number

    def leave(self, created_at: datetime, kind: str, number: int = 1) -> None:
        """Count deliveries that are open no more."""
        self._moves[hour_of(created_at), kind, OPEN, ""] -= number

    def settled(self, created_at: datetime, kind: str, state: str, result: str, number: int = 1) -> None:
        """Count deliveries that came to an end; a negative number takes them out again."""
        self._moves[hour_of(created_at), kind, state, result] += number

    def write(self, session: Session) -> None:
        """Add the moves to the counts, in the caller's transaction."""
        names = ("hour", "kind", "state", "result")
        rows = [
            {"connector_id": self._connector_id, **dict(zip(names, place, strict=True)), "records": number}
            for place, number in sorted(self._moves.items())
            if number
        ]
        counting.add(session, RecordCount, rows, ["records"])


def state_of(state: str, partial: bool) -> str:
    """Return the state that a delivery is counted under: open, partial, or its own."""
    if state in (DeliveryState.WAITING, DeliveryState.READY, DeliveryState.LEASED):
        return OPEN
    return "partial" if partial else str(state)
