"""When a schedule is due next: every so many seconds, or by a crontab in the store's time zone (D3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from integration.errors import SettingError
from integration.models.connector import Connector

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
EXAMPLE = "Write five fields such as “30 3 * * 1-5”: at 3:30 on working days, in the store's time zone."


def checked(cron: str) -> str:
    """Return a crontab as it is kept, "" for none; raises SettingError (sync.cron) when it makes no sense."""
    text = " ".join(cron.split())
    if not text:
        return ""
    if len(text) > 100 or len(text.split()) != 5 or not _comes(text):
        raise SettingError("sync.cron", f"“{text[:60]}” is no crontab.", EXAMPLE)
    return text


def _comes(cron: str) -> bool:
    """Tell whether a crontab can be read and ever falls due: 30 February does not."""
    try:
        next_local(cron, datetime(2026, 1, 1))
    except CroniterError:
        return False
    return True


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


def next_local(cron: str, local: datetime) -> datetime:
    """Return the next moment of a crontab by the wall clock."""
    found: datetime = croniter(cron, local).get_next(datetime)
    return found
