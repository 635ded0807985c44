"""A validated request for a page of the activity feed, as its address says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from integration.field_errors import Unusable
from integration.operations.monitoring.activity.event import KINDS, FeedPosition
from integration.url_filters import Day, OneOf, Parameter, UrlFilter, begin_of, end_of

ACTIVITY_MAX_ROWS = 100
#: The connector of the page, or all of its organisation.
SCOPES = ("this", "all")


@dataclass(frozen=True)
class FeedPositionText(Parameter):
    """Where a page of the feed begins, as FeedPosition writes it."""

    def read(self, name: str, text: str, zone: ZoneInfo) -> FeedPosition:
        """Return the position; raises Unusable for any other text."""
        position = FeedPosition.parse(text)
        if position is None:
            raise Unusable(f"There is no place “{text}” in the feed; the newest events are shown.")
        return position


class ActivityQuery(UrlFilter):
    """Which events are wanted: those of the connectors from before a place, on whole days of the zone.

    `organisation_id` owns the connectors; what was done to the organisation itself belongs to the scope "all".
    `horizon` is the moment that a page looks back to, where it may not look further.
    """

    organisation_id: int
    connectors: tuple[int, ...]
    scope: Annotated[str, OneOf(SCOPES)] = "this"
    kind: Annotated[str, OneOf(KINDS)] = ""
    since: Day = None
    until: Day = None
    before: Annotated[FeedPosition | None, FeedPositionText()] = None
    zone: str = "UTC"
    size: int = ACTIVITY_MAX_ROWS
    horizon: datetime | None = None

    @classmethod
    def parse(
        cls, organisation_id: int, this: int, connectors: Sequence[int], args: Mapping[str, Any], zone: str = "UTC"
    ) -> tuple[ActivityQuery, list[str]]:
        """Return the query of a URL of connector `this`, and a notice for each value that was left out."""
        query, notices = cls.from_url(args, zone, organisation_id=organisation_id, connectors=(this,))
        chosen = tuple(connectors) if query.scope == "all" else (this,)
        return query.model_copy(update={"connectors": chosen}), notices

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("before", "scope")

    @property
    def begin(self) -> datetime | None:
        """Return the first moment that counts."""
        return begin_of(self.since, self.zone)

    @property
    def end(self) -> datetime | None:
        """Return the moment behind the last one that counts."""
        return end_of(self.until, self.zone)
