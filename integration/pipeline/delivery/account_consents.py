"""Asks the store what the accounts say of marketing consent whose orders do not say yes themselves (P18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from integration import streams
from integration.errors import MappingError, ServiceError
from integration.mapping import consent
from integration.mapping.consent import Consent
from integration.models.connector import Connector
from integration.pipeline.consents import ledger
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.services import Services
from integration.settings import Modules
from integration.store import parse, reading
from integration.streams.base import LEAVES, Payload
from integration.streams.consents import ACCOUNT, asks_account


def ask(
    services: Services, connector: Connector, groups: Sequence[DeliveryGroup], modules: Modules, correlation_id: str
) -> tuple[Sequence[DeliveryGroup], Mapping[int, ServiceError]]:
    """Return the groups, their orders with the accounts that had to be asked, a hundred a call.

    The second value has by delivery id why an account could not be asked: until it can, nobody knows who has consented.
    """
    wanted = {leased.id: number for leased, number in _wanted(services, connector, groups, modules)}
    if not wanted or not connector.store_url:
        return groups, {}
    client = services.open_store(connector, correlation_id, obeys=True)
    try:
        rows = {row["id"]: parse.slim_customer(row) for row in reading.fetch_customers(client, sorted(wanted.values()))}
    except ServiceError as error:
        return groups, dict.fromkeys(wanted, error)
    told = {number: rows.get(customer, {}) for number, customer in wanted.items()}
    return [_with_accounts(group, told) for group in groups], {}


def _with_accounts(group: DeliveryGroup, told: Mapping[int, Payload]) -> DeliveryGroup:
    return DeliveryGroup(group.person_key, tuple(_with_account(leased, told) for leased in group.deliveries))


def _with_account(leased: LeasedDelivery, told: Mapping[int, Payload]) -> LeasedDelivery:
    if leased.id not in told:
        return leased
    return replace(leased, payload={**leased.payload, ACCOUNT: told[leased.id]})


def _wanted(
    services: Services, connector: Connector, groups: Sequence[DeliveryGroup], modules: Modules
) -> Iterator[tuple[LeasedDelivery, int]]:
    """Yield orders with their buyer's account, unless that is in the group itself or its word is known."""
    if not (modules.consent.enabled and modules.consent.customer_field):
        return
    with services.db.read() as session:
        known = ledger.known(session, connector.id, [group.person_key for group in groups])
    for group in groups:
        yield from buyers_to_ask(group, modules, known.get(group.person_key, ()))


def buyers_to_ask(
    group: DeliveryGroup, modules: Modules, known: Sequence[Consent]
) -> Iterator[tuple[LeasedDelivery, int]]:
    """Yield a person's orders with the account that has to be asked first; `known` is what the consent ledger has."""
    if not (modules.consent.enabled and modules.consent.customer_field):
        return
    here = any(streams.of(leased.kind).is_account and leased.event not in LEAVES for leased in group.deliveries)
    if not here and not _has_said(modules, known):
        yield from _buyers(group, modules)


def _buyers(group: DeliveryGroup, modules: Modules) -> Iterator[tuple[LeasedDelivery, int]]:
    for leased in group.deliveries:
        if not streams.of(leased.kind).in_ledger or leased.event in LEAVES:
            continue
        try:
            order = leased.record
        except MappingError:
            # Its own delivery says what is wrong with it.
            continue
        if asks_account(leased.payload, order, modules.consent):
            yield leased, order.customer_id


def _has_said(modules: Modules, known: Sequence[Consent]) -> bool:
    """Tell whether an account's word stands in the ledger; where accounts are not synced, it may be old."""
    key = modules.consent.customer_field
    return modules.contacts.enabled and any(each.source == consent.CUSTOMER and each.key == key for each in known)
