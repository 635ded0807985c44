"""How moments and figures are written on the pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_login import current_user

from integration import settings, streams, words
from integration.mapping import aliases
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline.connectors import time_zones
from integration.queries import runs
from integration.settings.connection import Connection
from integration.streams import Stream
from integration.web.frame.services import services


def zone_of(connector: Connector | None) -> ZoneInfo:
    """Return the zone of a connector's store, else the deployment's."""
    return time_zones.zone_of(connector, services().deployment.timezone)


def page_zone() -> ZoneInfo:
    """Return the zone of all times on the page: its connector's, else that of the organisation of whoever looks."""
    connector, known = g.get("connector"), g.get("page_zone")
    if known is None or known[0] is not connector:
        # A list has a hundred moments.
        g.page_zone = known = connector, zone_of(connector) if connector else _organisation_zone()
    zone: ZoneInfo = known[1]
    return zone


def _organisation_zone() -> ZoneInfo:
    if not current_user or not current_user.is_authenticated:
        return zone_of(None)
    with services().db.read() as session:
        own = current_user.organisation_id
        return time_zones.zone_of_organisation(session, own, services().deployment.timezone)


def local(moment: datetime) -> str:
    """Return a moment in the zone of the page, with the zone's name."""
    return time_zones.written(moment, page_zone())


def clock(moment: datetime) -> str:
    """Return the time of day of a moment in the zone of the page: "00:14:05"."""
    return f"{moment.astimezone(page_zone()):%H:%M:%S}"


def now() -> datetime:
    """Return the time by our clock."""
    return services().clock.now()


def utc(moment: datetime) -> str:
    """Return a moment in UTC."""
    return f"{moment.astimezone(UTC).isoformat(' ', 'seconds')[:19]} UTC"


def ago(moment: datetime) -> str:
    """Return how far a moment is from now, as "5 minutes ago" or "in 5 minutes"."""
    seconds = (now() - moment).total_seconds()
    text = words.span(abs(seconds))
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def entity(kind: str) -> str:
    """Return what lists call a kind of record: "Order"."""
    return streams.labels(kind).entity


def entities(kind: str) -> str:
    """Return what lists call several records of a kind: "Orders"."""
    return streams.labels(kind).entities


def noun(kind: str) -> str:
    """Return what the store's people call a record of a kind: "Customer"."""
    return streams.labels(kind).noun


def happened(event: str, kind: str) -> str:
    """Return an event in words: "status completed", "updated"."""
    return f"{streams.labels(kind).event} {event}".strip()


def run_badge(run: Run) -> tuple[str, str]:
    """Return the state of a run in words and the colour of its badge."""
    return runs.badge(run)


def named(key: str) -> str:
    """Return a key of settings, or of a record of the store, as people call it: "Order Sync: Notes", "Billing city"."""
    if key in settings.TITLES:
        return settings.label(key)
    system, _, rest = key.partition("_")
    if rest and key in Connection.model_fields:
        title, system = Connection.model_fields[key].title or rest, system.capitalize()
        return title if title.startswith(system) else f"{system}: {title}"
    said = key.replace(".", " ").replace("_", " ").replace("email", "e-mail")
    return said[:1].upper() + said[1:]


def pretty(value: Any) -> str:
    """Return JSON for people: indented, letters of every script as they are."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def stream(kind: str) -> Stream:
    """Return the stream of a kind, for the page of its settings."""
    return streams.of(kind)


def name_space(connector: Connector) -> str:
    """Return the connector's name space in Mautic, "" for none."""
    return services().modules(connector).naming.name_space


def our(alias: str, connector: Connector) -> str:
    """Return what Mautic calls one of our own fields of a connector."""
    return aliases.cut(aliases.spaced(alias, name_space(connector)))


_WORDS = (words.span, words.figure, words.counted, words.form, entity, entities, noun, happened, run_badge, named)


def init_app(app: Flask) -> None:
    """Make the filters known to the templates."""
    for each in (local, clock, utc, ago, pretty, stream, name_space, our, *_WORDS):
        app.add_template_filter(each)
    app.add_template_global(now)
