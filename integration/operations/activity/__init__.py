"""The activity feed (F1): what happened to the connectors of an organisation, newest first, from all sources."""

from __future__ import annotations

from integration.operations.activity.event import KINDS
from integration.operations.activity.event import Event
from integration.operations.activity.feed import Feed
from integration.operations.activity.feed import read
from integration.operations.activity.query import SIZE
from integration.operations.activity.query import ActivityQuery

__all__ = ["KINDS", "SIZE", "ActivityQuery", "Event", "Feed", "read"]
