"""A validated request for a page of the activity feed, as its address says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from integration.operations.monitoring.activity.event import KINDS, QUIET, Place
from integration.parameters import Asked, begin_of, end_of

SIZE = 100
#: The connector of the page, or all of its organisation.
SCOPES = ("this", "all")
_NAMES = ("scope", "kind", "since", "until", "before")


@dataclass(frozen=True)
class ActivityQuery:
    """Which events are wanted: those of the connectors from before a place, on whole days of the zone.

    `organisation_id` owns the connectors; what was done to the organisation itself belongs to the scope "all".
    """

    organisation_id: int
    connectors: Sequence[int]
    scope: str = "this"
    kind: str = ""
    since: date | None = None
    until: date | None = None
    before: Place | None = None
    zone: str = "UTC"
    size: int = SIZE

    @classmethod
    def parse(
        cls, organisation_id: int, this: int, connectors: Sequence[int], args: Mapping[str, str], zone: str = "UTC"
    ) -> tuple[ActivityQuery, list[str]]:
        """Return the query of an address of connector `this`, and a notice for each value that was left out."""
        asked = Asked(args)
        since, until = asked.days()
        scope = asked.choice("scope", SCOPES) or "this"
        kind = asked.choice("kind", KINDS)
        text = asked.text("before")
        before = Place.parse(text)
        if text and before is None:
            asked.notices.append(f"There is no place “{text}” in the feed; the newest events are shown.")
        chosen = connectors if scope == "all" else [this]
        return cls(organisation_id, tuple(chosen), scope, kind, since, until, before, zone), asked.notices

    def args(self, **changes: Any) -> dict[str, str]:
        """Return the query, with changes, as it stands in an address; what is usual is left out."""
        wanted = replace(self, **changes)
        values = {name: getattr(wanted, name) for name in _NAMES}
        return {name: str(value) for name, value in values.items() if value not in ("", None, "this")}

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return bool(self.args(before=None, scope="this"))

    def wants(self, kind: str) -> bool:
        """Return whether events of a kind are shown."""
        return kind == self.kind if self.kind else kind not in QUIET

    @property
    def begin(self) -> datetime | None:
        """Return the first moment that counts."""
        return begin_of(self.since, self.zone)

    @property
    def end(self) -> datetime | None:
        """Return the moment behind the last one that counts."""
        return end_of(self.until, self.zone)

    def reach(self, at: Any, number: Any, rank: int) -> ColumnElement[bool]:
        """Return the condition on the moment and the id of a source's rows that makes them follow `before`."""
        conditions: list[ColumnElement[bool]] = [at.is_not(None)]
        if self.begin:
            conditions.append(at >= self.begin)
        if self.end:
            conditions.append(at < self.end)
        if self.before and rank < self.before.rank:
            conditions.append(at < self.before.at)
        elif self.before:
            conditions.append(at <= self.before.at)
            if rank == self.before.rank:
                conditions.append(or_(at < self.before.at, number < self.before.id))
        return and_(*conditions)
