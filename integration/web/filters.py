"""How moments and figures are written on the pages."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import tzinfo
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError

from flask import Flask
from flask import g

from integration.models.connector import Connector
from integration.web.wiring import ports


def zone_of(connector: Connector | None) -> tzinfo:
    """Return the store's own time zone, or its offset where it has no zone, else the deployment's zone."""
    facts = (connector.store_facts or {}) if connector else {}
    if name := str(facts.get("timezone") or ""):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            pass
    offset = facts.get("gmt_offset")
    if isinstance(offset, int | float) and -15 < offset < 15:
        return timezone(timedelta(hours=offset))
    return ZoneInfo(ports().deployment.timezone)


def local(moment: datetime) -> str:
    """Return a moment in the zone of the connector on the page, with the zone's name."""
    here = moment.astimezone(zone_of(g.get("connector")))
    return f"{here.day} {here:%b %Y, %H:%M:%S %Z}"


def utc(moment: datetime) -> str:
    """Return a moment in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime) -> str:
    """Return how far a moment is from now, as "5 minutes ago" or "in 5 minutes"."""
    seconds = (ports().clock.now() - moment).total_seconds()
    text = span(abs(seconds))
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def span(seconds: float) -> str:
    """Return a duration in its largest fitting unit, as "5 minutes"."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = round(seconds / size)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    number = round(seconds)
    return f"{number} second{'' if number == 1 else 's'}"


def figure(number: float) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


def init_app(app: Flask) -> None:
    """Make the filters known to the templates."""
    for each in (local, utc, ago, span, figure):
        app.add_template_filter(each)
