"""Asks the store what a webhook only hints at: that a record was deleted, or that it changed in a way it does not tell.

The topic of a webhook is not signed, so whoever has seen one can send it again under another topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from integration import streams
from integration.errors import Blame, IntegrationError, MappingError, ServiceError
from integration.events import Change, Origin
from integration.models.connector import Connector
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.delivery.planning import GONE
from integration.pipeline.ingest import account_addresses, order_ledger, records, recurring_orders
from integration.pipeline.services import Services
from integration.plans import Skip
from integration.store import parse
from integration.store.client import StoreClient
from integration.store.sanitizing import is_number
from integration.streams.base import LEAVES, Payload

ASKED = Skip("asked", "The webhook told only the id; the record was read from the store and goes out as it is there.")
STILL_THERE = Skip("still_there", "The store still has the record, so it was not deleted; it goes out as it is there.")


@dataclass
class Answers:
    """What the store said, by delivery id: payloads of deletions that are true, why others are not sent, and failures.

    `changes` are the records that are there, `removed` the ids of orders that are gone, `ended` those of subscriptions,
    `closed` those of accounts.
    """

    payloads: dict[int, Payload] = field(default_factory=dict)
    skips: dict[int, Skip] = field(default_factory=dict)
    failures: dict[int, IntegrationError] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)


def is_asked(leased: LeasedDelivery) -> bool:
    """Tell whether the store must say what became of the record before anything is done about it."""
    hint = leased.event == "deleted" or _is_thin(leased)
    return leased.origin is Origin.WEBHOOK and hint and leased.source_id.isdigit()


def _is_thin(leased: LeasedDelivery) -> bool:
    return set(leased.payload) <= {"id"} and leased.event not in LEAVES


def ask(services: Services, connector: Connector, client: StoreClient, asked: Sequence[LeasedDelivery]) -> Answers:
    """Read the records and note what is true: an order that is gone counts no more, one that is there is owed anew.

    Once the connection has failed nothing more is asked: the failure is that of the others, too.
    """
    answers = Answers()
    broken: ServiceError | None = None
    for leased in asked:
        try:
            if broken is not None:
                raise broken
            _judge(answers, leased, streams.of(leased.kind).look_up(client, leased.source_id), services)
        except (ServiceError, MappingError) as error:
            answers.failures[leased.id] = error
            if isinstance(error, ServiceError) and error.blame is Blame.CONNECTION:
                broken = error
    _note(services, connector, answers)
    return answers


def _judge(answers: Answers, leased: LeasedDelivery, row: Payload | None, services: Services) -> None:
    stream = streams.of(leased.kind)
    change = stream.change(row, Origin.POLL, services.clock.now()) if row is not None else None
    if change is not None and change.event != order_ledger.GONE:
        answers.changes.append(change)
        answers.skips[leased.id] = STILL_THERE if leased.event == "deleted" else ASKED
        return
    if leased.event != "deleted":
        answers.skips[leased.id] = GONE
        return
    answers.payloads[leased.id] = {**leased.payload, **({"email": parse.billing_email(row)} if row else {})}
    if stream.in_ledger:
        answers.removed.append(int(leased.source_id))
    elif stream.is_account and is_number(leased.source_id):
        answers.closed.append(int(leased.source_id))
    elif stream.recurs:
        answers.ended.append(int(leased.source_id))


def _note(services: Services, connector: Connector, answers: Answers) -> None:
    if not (answers.changes or answers.removed or answers.closed or answers.ended):
        return
    now = services.clock.now()
    with services.db.write() as session:
        for number in answers.removed:
            order_ledger.remove(session, connector.id, number, None, now)
        account_addresses.close(session, connector.id, answers.closed)
        for number in answers.ended:
            recurring_orders.remove(session, connector.id, number)
        records.accept(session, now, connector.id, answers.changes)
    services.wakeup.ring(connector.id)
