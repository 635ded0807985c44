"""What the messages say: what is wrong, since when, what waits, where to look, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.operations.monitoring.alerts.finding import CAUSES, COMMON, PAGES
from integration.pipeline.connectors.time_zones import zone_of
from integration.pipeline.services import Services
from integration.words import counted, form

PRODUCT = "Woo Mautic"
#: Causes while which records wait to be sent.
WAITING = ("store_changed", "held_mautic", "held_store", "worker_down")


@dataclass(frozen=True, slots=True)
class Message:
    """A subject of one line and a body of plain text."""

    subject: str
    body: str


def raised(services: Services, alert: Alert, connector: Connector, waiting: int) -> Message:
    """Return what is said when an alert opens; `waiting` records are to be sent."""
    lines = [f"{CAUSES.get(alert.cause, alert.cause)}: {alert.sentence}", *_some(alert.hint)]
    lines += [f"Since {moment(services, connector, alert.since)}."]
    if alert.cause in WAITING and waiting:
        lines.append(f"{_records(waiting, 'waits', 'wait')} to be sent. Nothing is lost.")
    return Message(
        _subject(alert, connector, CAUSES.get(alert.cause, alert.cause)), _with_links(services, alert, connector, lines)
    )


def recovered(services: Services, alert: Alert, connector: Connector) -> Message:
    """Return what is said when an alert has ended."""
    ended = alert.ended_at or services.clock.now()
    good = well(alert.cause)
    lines = [
        good,
        f"It was: {alert.sentence}",
        f"It lasted {span(ended - alert.since)}, "
        f"from {moment(services, connector, alert.since)} to {moment(services, connector, ended)}.",
    ]
    return Message(_subject(alert, connector, good.rstrip(".")), _with_links(services, alert, connector, lines))


def well(cause: str) -> str:
    """Return what is said when a cause is gone."""
    return _WELL.get(cause, "It is well again.")


_WELL = {
    "store_changed": "Somebody has said what the store is.",
    "held_mautic": "Records are sent to Mautic again.",
    "held_store": "The store is read again.",
    "failing": "Records fail no more than they should.",
    "no_sync": "The store is synced by its schedule again.",
    "dead_letters": "The dead letters were dealt with.",
    "run_failed": "A later run went well.",
    "worker_down": "A worker is running again.",
    "disk_full": "What is written is saved again.",
    "disk_low": "There is enough room on the disk again.",
    "drift": "What differed between the store and Mautic was repaired.",
    "webhook_gap": "The webhooks come again.",
    "authority_ends": "The certificate authority was replaced or taken away.",
    "mapping_lost": "All mapped fields are in Mautic as they were.",
}


def caught_up(waited: int, left: int) -> str:
    """Return what became of the records that waited, "" when none did."""
    if not waited:
        return ""
    done = f"{waited - left:,} caught up, {counted(left, 'still waits', 'still wait')}" if left else "all are caught up"
    return f"{_records(waited, 'waited', 'waited')}: {done}."


def trial(services: Services, group: str) -> Message:
    """Return the message that shows that a group can be reached."""
    body = f"This is a test message for the group “{group}”. If you can read it, alerts reach you.\n\n"
    return Message(f"[{PRODUCT}] Test message", f"{body}{address(services, 'alerts')}")


def moment(services: Services, connector: Connector, at: datetime) -> str:
    """Return a moment in the store's time zone, with its name."""
    here = at.astimezone(zone_of(connector, services.deployment.timezone))
    return f"{here.day} {here:%b %Y, %H:%M %Z}"


def span(time: timedelta) -> str:
    """Return a duration in its two largest units, as "2 hours 5 minutes"."""
    seconds = max(int(time.total_seconds()), 0)
    parts: list[str] = []
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        number, seconds = divmod(seconds, size)
        if number or (unit == "second" and not parts):
            parts.append(f"{number} {form(number, unit)}")
    return " ".join(parts[:2])


def address(services: Services, path: str) -> str:
    """Return the full address of a page."""
    return f"{services.base_url}/{path}"


def place(services: Services, alert: Alert) -> str:
    """Return the full address of the page where an alert's cause is mended."""
    return address(services, path(alert))


def path(alert: Alert) -> str:
    """Return the path of that page, without the site's address."""
    page = PAGES.get(alert.cause, "runs")
    return page[1:] if page.startswith("/") else f"connectors/{alert.connector_id}/{page}"


def one_line(text: str, limit: int = 200) -> str:
    """Return a text on one line without control characters, shortened."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _subject(alert: Alert, connector: Connector, what: str) -> str:
    name = "All connectors" if alert.cause in COMMON else connector.name
    return one_line(f"[{PRODUCT}] {name}: {what}")


def _with_links(services: Services, alert: Alert, connector: Connector, lines: Sequence[str]) -> str:
    name = "All connectors" if alert.cause in COMMON else f"Connector {connector.name}"
    links = [f"{name}: {place(services, alert)}", f"Alerts, silence: {address(services, 'alerts')}"]
    return "\n".join([*lines, "", *links])


def _records(number: int, one: str, several: str) -> str:
    return counted(number, f"record {one}", f"records {several}")


def _some(text: str) -> list[str]:
    return [text] if text else []
