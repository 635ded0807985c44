"""The activity feed (F1): what happened to the connectors of an organisation, newest first, from all sources."""

from __future__ import annotations

from integration.operations.monitoring.activity.event import KINDS, Event
from integration.operations.monitoring.activity.feed import Feed, read
from integration.operations.monitoring.activity.query import ACTIVITY_MAX_ROWS, ActivityQuery

__all__ = ["KINDS", "ACTIVITY_MAX_ROWS", "ActivityQuery", "Event", "Feed", "read"]
