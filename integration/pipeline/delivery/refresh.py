"""Reads the store again: before a retry whose payload has grown old, and where a webhook only hints at something."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from integration import streams
from integration.errors import IntegrationError, ServiceError
from integration.events import Kind, Origin
from integration.models.connector import Connector
from integration.pipeline.dead_letters.corrections import corrected
from integration.pipeline.delivery import account_consents, last_look
from integration.pipeline.delivery.asking import Answers, ask, is_asked
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.delivery.planning import GONE
from integration.pipeline.services import Services
from integration.plans import Skip
from integration.settings import ConsentModule, Modules
from integration.store.client import StoreClient
from integration.store.meta_data import asked
from integration.streams import consents
from integration.streams.base import LEAVES, Payload

PAYLOAD_AGE_MAX = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Freshened:
    """Groups with the payloads that are to be sent.

    By delivery id: `skips` of what the store says is not to be sent, `unread` the errors of what could not be read
    again, so that the old payload serves. `put_off` waits until the store can say what it is about; it is in no group.
    """

    groups: Sequence[DeliveryGroup]
    skips: Mapping[int, Skip] = field(default_factory=dict)
    unread: Mapping[int, ServiceError] = field(default_factory=dict)
    put_off: Sequence[tuple[LeasedDelivery, IntegrationError]] = ()

    @property
    def notes(self) -> dict[int, str]:
        """Return by delivery id what is to be said of an old payload that served."""
        at = {leased.id: leased.payload_at for group in self.groups for leased in group.deliveries}
        return {number: _old(error, at[number]) for number, error in self.unread.items()}


def freshen(
    services: Services,
    connector: Connector,
    groups: Sequence[DeliveryGroup],
    modules: Modules,
    correlation_id: str = "",
) -> Freshened:
    """Return the groups as they are to be sent, with new payloads where a retry's was older than five minutes.

    When the store cannot be read the old payload serves: the order of things must not hang on both systems. Left carts
    are looked at once more (last_look).
    """
    looked = last_look.look(services, connector, groups, correlation_id)
    waiting = {leased.id for leased, _ in looked.put_off}
    fresh = _read_again(services, connector, _without(groups, waiting), modules, correlation_id)
    fresh = _with_accounts(services, connector, fresh, modules, correlation_id)
    return replace(fresh, skips={**looked.skips, **fresh.skips}, put_off=[*looked.put_off, *fresh.put_off])


def _with_accounts(
    services: Services, connector: Connector, fresh: Freshened, modules: Modules, correlation_id: str
) -> Freshened:
    """Ask the accounts that have to say whether their owners consent; what they cannot say waits."""
    groups, failures = account_consents.ask(services, connector, fresh.groups, modules, correlation_id)
    if not failures:
        return replace(fresh, groups=groups)
    waiting = [(each, failures[each.id]) for group in groups for each in group.deliveries if each.id in failures]
    return replace(fresh, groups=_without(groups, failures), put_off=[*fresh.put_off, *waiting])


def _without(groups: Sequence[DeliveryGroup], waiting: Collection[int]) -> Sequence[DeliveryGroup]:
    if not waiting:
        return groups
    kept = ((group, tuple(each for each in group.deliveries if each.id not in waiting)) for group in groups)
    return [DeliveryGroup(group.person_key, deliveries) for group, deliveries in kept if deliveries]


def _read_again(
    services: Services, connector: Connector, groups: Sequence[DeliveryGroup], modules: Modules, correlation_id: str
) -> Freshened:
    wanted = _Wanted.of(groups, services.clock.now(), modules.consent)
    if not wanted or not connector.store_url:
        return Freshened(groups)
    client = services.open_store(connector, correlation_id, obeys=True)
    answers = ask(services, connector, client, wanted.asked)
    unsaid = frozenset(leased.id for leased in wanted.unsaid)
    try:
        payloads = {**answers.payloads, **_named(client, wanted.nameless)}
        read = _Read(_read(client, wanted.stale), payloads, unsaid)
    except ServiceError as error:
        # Without its meta data an old payload cannot say whether the person has consented.
        answers.failures.update(dict.fromkeys(unsaid, error))
        unread = {leased.id: error for leased in wanted.stale if leased.id not in unsaid}
        return _freshened(groups, _Read({}, answers.payloads), answers, unread)
    gone = {each.id: GONE for each in wanted.stale if (each.kind, each.source_id) not in read.rows}
    return replace(_freshened(groups, read, answers, {}), skips={**gone, **answers.skips})


def _freshened(
    groups: Sequence[DeliveryGroup], read: _Read, answers: Answers, unread: Mapping[int, ServiceError]
) -> Freshened:
    failures = answers.failures
    put_off = [(each, failures[each.id]) for group in groups for each in group.deliveries if each.id in failures]
    renewed = (_renewed(group, read, failures) for group in groups)
    return Freshened([group for group in renewed if group.deliveries], answers.skips, unread, put_off)


def _old(error: ServiceError, at: datetime) -> str:
    why = error.sentence.rstrip(".")
    return f"The store could not be read again ({why}), so the record was sent as it was read at {at:%d %b %H:%M} UTC."


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the store is to be asked of: records again, what became of hinted ones, addresses of deleted ones.

    `unsaid` are those among the stale ones that were read before it was looked at what they say of consent.
    """

    stale: Sequence[LeasedDelivery]
    asked: Sequence[LeasedDelivery]
    nameless: Sequence[LeasedDelivery]
    unsaid: Sequence[LeasedDelivery]

    @classmethod
    def of(cls, groups: Sequence[DeliveryGroup], now: datetime, module: ConsentModule) -> _Wanted:
        deliveries = [leased for group in groups for leased in group.deliveries if _is_in_store(leased)]
        asked = [leased for leased in deliveries if is_asked(leased)]
        rest = [leased for leased in deliveries if not is_asked(leased)]
        there = [leased for leased in rest if leased.event not in LEAVES]
        unsaid = [leased for leased in there if is_unsaid(leased, module)]
        stale = [leased for leased in there if _is_stale(leased, now) or leased in unsaid]
        nameless = [leased for leased in rest if streams.of(leased.kind).lacks_email(leased)]
        return cls(stale, asked, nameless, unsaid)

    def __bool__(self) -> bool:
        return bool(self.stale or self.asked or self.nameless)


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows by kind and source id, payloads by delivery id, and the ids of those that are to have their row."""

    rows: Mapping[tuple[Kind, str], Payload]
    payloads: Mapping[int, Payload]
    unsaid: frozenset[int] = frozenset()


def _is_in_store(leased: LeasedDelivery) -> bool:
    return leased.source_id.isdigit() and not streams.of(leased.kind).kept_here


def _is_stale(leased: LeasedDelivery, now: datetime) -> bool:
    """Tell whether the record is to be read again: a replay always, a retry when its payload has grown old."""
    return leased.origin is Origin.REPLAY or (leased.attempts > 1 and now - leased.payload_at > PAYLOAD_AGE_MAX)


def is_unsaid(leased: LeasedDelivery, module: ConsentModule) -> bool:
    """Tell whether a record was read before it was looked at what it says of consent."""
    return not asked(leased.payload).keys() >= set(consents.keys_of(leased.kind, module))


def _read(client: StoreClient, stale: Sequence[LeasedDelivery]) -> dict[tuple[Kind, str], Payload]:
    found: dict[tuple[Kind, str], Payload] = {}
    for kind in sorted({leased.kind for leased in stale}):
        rows = streams.of(kind).refresh(client, {leased.source_id for leased in stale if leased.kind is kind})
        found |= {(kind, source_id): row for source_id, row in rows.items()}
    return found


def _named(client: StoreClient, nameless: Sequence[LeasedDelivery]) -> dict[int, Payload]:
    found = [(leased, streams.of(leased.kind).find_email(client, leased.source_id)) for leased in nameless]
    return {each.id: {**each.payload, "email": email} for each, email in found if email is not None}


def _renewed(group: DeliveryGroup, read: _Read, put_off: Mapping[int, IntegrationError]) -> DeliveryGroup:
    kept = (leased for leased in group.deliveries if leased.id not in put_off)
    return DeliveryGroup(group.person_key, tuple(_fresh(leased, read) for leased in kept))


def _fresh(leased: LeasedDelivery, read: _Read) -> LeasedDelivery:
    if leased.id in read.payloads:
        return replace(leased, payload=read.payloads[leased.id])
    row = read.rows.get((leased.kind, leased.source_id))
    again = leased.attempts > 1 or leased.origin is Origin.REPLAY or leased.id in read.unsaid
    fresh = row is not None and again and leased.event not in LEAVES
    return replace(leased, payload=corrected(row or {}, leased.corrections)) if fresh else leased
