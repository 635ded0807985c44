"""Takes what programs send, item by item: what is right takes the road, what is wrong is named by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import IntegrationError
from integration.events import Origin, content_hash
from integration.field_errors import by_path
from integration.inbound import carts, repeats
from integration.inbound.bodies import KINDS, InboundCart, InboundContact, InboundOrder
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.pipeline import outbox, usage
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.connectors import schedule_times
from integration.pipeline.ingest import records
from integration.pipeline.services import Services
from integration.record_ids import given_of
from integration.streams import Stream

ITEMS_MAX = 500
CARTS_OFF = IntegrationError(
    "carts_off",
    "Abandoned Cart is switched off, or captures nothing, so carts are not taken.",
    "Switch it on under Abandoned Cart.",
)
_Checked = InboundContact | InboundOrder | InboundCart


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one item of a request: `number` is its delivery, of a cart the cart; `fields` are its faults."""

    index: int
    id: str = ""
    number: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request; `repeated` says that it was answered before and nothing was done again."""

    items: Sequence[Item]
    repeated: bool = False

    @property
    def accepted(self) -> int:
        """Return how many items are on their way."""
        return sum(item.number is not None for item in self.items)

    @property
    def refused(self) -> int:
        """Return how many items have faults."""
        return len(self.items) - self.accepted


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the token, 0 for the command line, and the request's own key, "" for none."""

    token_id: int = 0
    key: str = ""


def take(
    services: Services,
    connector: Connector,
    name: str,
    items: Sequence[Any],
    sender: Sender = Sender(),
    *,
    audit: Audit[Taken] = unaudited,
) -> Taken:
    """Take contacts, orders or carts (`name`); items that are wrong are left out, the others are stored together.

    Where none is right nothing is stored, not even the key. Raises IntegrationError: carts_off, and key_used for a key
    that stood for something else.
    """
    stream = streams.of_module(name)
    if stream.kept_here and not services.modules(connector).carts.captures:
        raise CARTS_OFF
    checked = [_checked(name, index, each) for index, each in enumerate(items)]
    faults = [each for each in checked if isinstance(each, Item)]
    if len(faults) == len(checked):
        return Taken(faults)
    now, digest = services.clock.now(), content_hash([name, list(items)])
    with services.db.write() as session:
        lock_connector(session, connector.id)
        before = repeats.find(session, now, connector.id, sender.token_id, sender.key, digest)
        if before is not None:
            return Taken([Item(**each) for each in before], repeated=True)
        taken = Taken(_stored(session, now, connector, stream, checked))
        rows = [asdict(item) for item in taken.items]
        repeats.keep(session, now, connector.id, sender.token_id, sender.key, digest, rows)
        usage.record(session, connector.id, now, pulled=taken.accepted)
        services.on_accept(session, connector.id)
        audit(session, taken)
    services.wakeup.ring(connector.id)
    return taken


def _checked(name: str, index: int, item: Any) -> _Checked | Item:
    try:
        return KINDS[name].model_validate(item)
    except ValidationError as error:
        given = item.get("id") if isinstance(item, Mapping) else None
        return Item(index, str(given)[:40] if isinstance(given, str | int) else "", None, by_path(error))


def _stored(
    session: Session,
    now: datetime,
    connector: Connector,
    stream: Stream,
    checked: Sequence[_Checked | Item],
) -> list[Item]:
    """Store the items that are right, in their order, and return what became of each."""
    good = [each for each in checked if not isinstance(each, Item)]
    store = _keep_carts if stream.kept_here else _accept
    numbers = iter(store(session, now, connector, stream, good))
    return [
        each if isinstance(each, Item) else Item(index, given_of(each.source_id), next(numbers))
        for index, each in enumerate(checked)
    ]


def _keep_carts(
    session: Session, now: datetime, connector: Connector, stream: Stream, good: Sequence[_Checked]
) -> list[int]:
    kept = [carts.take(session, now, connector.id, each) for each in good if isinstance(each, InboundCart)]
    session.flush()
    return [cart.id for cart in kept]


def _accept(
    session: Session, now: datetime, connector: Connector, stream: Stream, good: Sequence[_Checked]
) -> list[int]:
    zone = schedule_times.zone_of(connector)
    payloads = [each.payload(now, zone) for each in good if not isinstance(each, InboundCart)]
    changes = [stream.change(payload, Origin.API, now) for payload in payloads]
    records.accept(session, now, connector.id, changes)
    return outbox.numbers_of(session, connector.id, changes)
