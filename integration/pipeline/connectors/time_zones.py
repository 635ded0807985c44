"""The time zone that people of a connector, or of an organisation, live by, and moments written in it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.connector import Connector

_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def zone_of(connector: Connector | None, otherwise: str) -> ZoneInfo:
    """Return the store's time zone, or that of its offset in whole hours, else the given one."""
    return (_known(connector) if connector else None) or _named(otherwise) or ZoneInfo("UTC")


def zone_of_organisation(session: Session, organisation_id: int | None, otherwise: str) -> ZoneInfo:
    """Return the zone of an organisation's first store that tells one, else the given one."""
    own = select(Connector).where(Connector.organisation_id == organisation_id).order_by(Connector.id)
    return next((zone for each in session.scalars(own) if (zone := _known(each))), None) or zone_of(None, otherwise)


def _known(connector: Connector) -> ZoneInfo | None:
    facts = connector.store_facts or {}
    if zone := _named(str(facts.get("timezone") or "")):
        return zone
    offset = facts.get("gmt_offset")
    if isinstance(offset, int | float) and offset == int(offset):
        # The names of these zones count westward.
        return _named(f"Etc/GMT{-int(offset):+d}")
    return None


def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def label(zone: ZoneInfo) -> str:
    """Return a zone as people know it: Europe/Rome, or UTC+2 where the store has but an offset."""
    west = zone.key.removeprefix("Etc/GMT")
    return zone.key if west == zone.key else f"UTC{-int(west or 0):+d}"


def written(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment in a zone, with the zone's name: "20 Nov 2026, 13:00:00 CET"."""
    here = moment.astimezone(zone)
    # Not by strftime, which takes three times as long: a list has hundreds of moments.
    clock = here.isoformat(" ", "seconds")[11:19]
    return f"{here.day} {_MONTHS[here.month]} {here.year}, {clock} {here.tzname()}"
