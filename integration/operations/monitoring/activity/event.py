"""One event of the activity feed and its place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

#: Kinds of events and how a person names them.
KINDS = {
    "run": "Runs",
    "poll": "Polls that found nothing",
    "hold": "Holds",
    "dead": "Failed records",
    "conflict": "Conflicts",
    "alert": "Alerts",
    "reconciliation": "Reconciliations",
    "gap": "Webhook gaps",
    "change": "Changes by people",
}
#: Shown only when asked for: hundreds a day that say that all is well.
QUIET = ("poll",)
_PLACE = re.compile(r"(\d{8}T\d{12})-(\d{1,2})-(\d{1,15})")
_MOMENT = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """Where an event stands: newest first, among those of one moment by the source's rank, then by falling id."""

    at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):{_MOMENT}}-{self.rank}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> FeedPosition | None:
        """Return the place that a text names, None for anything else."""
        found = _PLACE.fullmatch(text)
        if found is None or not text.isascii():
            return None
        try:
            at = datetime.strptime(found[1], _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(at, int(found[2]), int(found[3]))

    @property
    def order(self) -> tuple[float, int, int]:
        """Return what places are sorted by."""
        return (-self.at.timestamp(), self.rank, -self.id)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: `level` is ok, warn, bad, info or muted; `about` maps run_id or the like to an id to look at.

    `actor` and `diff` are those of an audit entry, for administrators only.
    """

    place: FeedPosition
    kind: str
    connector_id: int | None
    level: str
    title: str
    detail: str = ""
    about: Mapping[str, int] = field(default_factory=dict)
    actor: str = ""
    diff: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """Return when it happened."""
        return self.place.at
