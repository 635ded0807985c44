"""When a schedule is due next: every so many seconds, or by a crontab in the store's time zone (D3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integration.models.connector import Connector
from integration.settings.crontab import EXAMPLE, next_local

__all__ = ["EVERY", "EXAMPLE", "choices", "following", "next_local", "zone_of"]

#: Choices of D3, in seconds.
EVERY = {
    0: "Off",
    300: "Every 5 minutes",
    900: "Every 15 minutes",
    3600: "Every hour",
    21600: "Every 6 hours",
    86400: "Daily",
    604800: "Weekly",
}


def choices(now: object) -> dict[str, str]:
    """Return the choices as texts for a page, with what is chosen now, as it is stored or was typed, among them."""
    known = {str(seconds): label for seconds, label in EVERY.items()}
    return known if str(now) in known else {**known, str(now): f"Every {now} seconds"}


def zone_of(connector: Connector) -> ZoneInfo:
    """Return the store's time zone, UTC while it is not known."""
    try:
        return ZoneInfo(str(connector.store_facts.get("timezone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def following(now: datetime, every: int, cron: str, zone: ZoneInfo) -> datetime:
    """Return the next moment after `now`; after a time of standing still that is one moment, not all that were missed.

    A crontab is read by the wall clock: what falls into the hour that is left out in spring runs after it, and an hour
    that comes twice runs once.
    """
    if not cron:
        return now + timedelta(seconds=every)
    local = now.astimezone(zone).replace(tzinfo=None)
    for _ in range(4):
        local = next_local(cron, local)
        at = local.replace(tzinfo=zone).astimezone(UTC)
        if at > now:
            return at
    return now + timedelta(hours=1)
