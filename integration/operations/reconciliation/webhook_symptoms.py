"""What can be wrong with our webhooks, told from the store's list of them and from what polling finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration import streams
from integration.events import Origin
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.drift import Gap
from integration.store.dates import lenient
from integration.store.webhooks import SUBSCRIPTION_TOPICS, TOPICS
from integration.words import counted

#: A webhook that has not come this long after the change does not come any more.
DELIVERY_TIME_MAX = timedelta(minutes=10)
#: How far back polling's finds are looked at.
WINDOW = timedelta(hours=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Symptom:
    """What is wrong now; `heals` is False where a person has decided so."""

    cause: str
    topics: tuple[str, ...]
    sentence: str
    heals: bool = True


def ours(rows: Sequence[Mapping[str, Any]], url: str) -> list[Mapping[str, Any]]:
    """Return the webhooks of the store's list that deliver to our address."""
    return [row for row in rows if str(row.get("delivery_url", "")).rstrip("/") == url.rstrip("/")]


def look(ids: Mapping[str, int], rows: Sequence[Mapping[str, Any]], url: str) -> list[Symptom]:
    """Return what is wrong with the webhooks we had set up: `ids` is topic -> id, `rows` the store's list."""
    mine = ours(rows, url)
    elsewhere = {row.get("id") for row in rows} - {row.get("id") for row in mine}
    states: dict[str, list[str]] = {}
    for topic in (topic for topic in (*TOPICS, *SUBSCRIPTION_TOPICS) if topic in ids):
        there = {str(row.get("status")) for row in mine if row.get("topic") == topic}
        state = "moved" if ids[topic] in elsewhere else "missing"
        if there:
            state = next((each for each in ("active", "disabled", "paused") if each in there), "disabled")
        states.setdefault(state, []).append(topic)
    return [_symptom(cause, topics) for cause, topics in states.items() if cause != "active"]


def _symptom(cause: str, topics: Sequence[str]) -> Symptom:
    one = len(topics) == 1
    what = f"{'1 webhook' if one else f'{len(topics)} webhooks'} ({', '.join(topics)})"
    said = {
        "missing": f"The store no longer has {what}.",
        "moved": f"{what} of the store {'delivers' if one else 'deliver'} to another address than ours.",
        "disabled": f"The store has switched off {what} after failed deliveries.",
        "paused": f"In the store {what} {'is' if one else 'are'} paused.",
    }
    return Symptom(cause, tuple(topics), said[cause], heals=cause != "paused")


def silent(session: Session, now: datetime, connector: Connector, mine: Sequence[Mapping[str, Any]]) -> list[Symptom]:
    """Return the symptom of webhooks that are active and bring nothing, although polling finds changes."""
    healed = select(func.max(Gap.healed_at)).where(Gap.connector_id == connector.id, Gap.cause == "silent")
    made = max((lenient(row.get("date_created_gmt")) or _LONG_AGO for row in mine), default=now)
    after = max(filter(None, (connector.last_webhook_at, made, session.scalar(healed))))
    query = select(func.count()).where(
        Delivery.connector_id == connector.id,
        Delivery.created_at >= now - WINDOW,
        Delivery.origin == Origin.POLL,
        Delivery.kind.in_(streams.kinds("numbered")),
        Delivery.modified_at > after,
        Delivery.modified_at <= now - DELIVERY_TIME_MAX,
    )
    number = session.scalar(query) or 0
    if not number:
        return []
    topics = tuple(str(row.get("topic")) for row in mine if str(row.get("topic", "")).startswith("order."))
    orders = counted(number, "order")
    sentence = f"The webhooks are active, but polling found {orders} that none of them brought."
    return [Symptom("silent", topics, sentence)]
