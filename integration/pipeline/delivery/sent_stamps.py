"""Gives stamps to what a batch has delivered, where planning it once more would certainly come to nothing.

To plan it once more would cost a sixth of an import. It is not needed where the plan hangs on nothing that the batch
itself has changed, for that is the link alone: Mautic has confirmed all that the plan says. By the link a plan knows
who is known, which matters to orders that are not synced, which tags were given, and which order told the name. So
whoever has an order of which one of these matters gets none, and nor does anybody of whom anything was special: they
get theirs from the door, when the next full sync has planned them (stamping.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from integration import streams
from integration.digests import ROW
from integration.events import Kind, Origin
from integration.mapping import orders
from integration.mapping.tags import UNDONE
from integration.models.connector import Connector
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery import latest_order, outcomes, stamping, stamps
from integration.pipeline.delivery.batch_context import BatchContext, Linked, given_tags
from integration.pipeline.delivery.batch_result import BatchResult, Laid
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery, Outcome
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.ingest.order_ledger import GONE
from integration.settings import Modules
from integration.streams.base import LEAVES

#: The pages of these are read once more by a full sync, as they were read.
_OF_PAGES = (Origin.INITIAL, Origin.FULL, Origin.BULK)

#: Kind and first row of a page of the store.
Place = tuple[Kind, str]


def kept(
    session: Session, connector: Connector, modules: Modules, groups: Sequence[DeliveryGroup]
) -> Mapping[str, Sequence[str]]:
    """Return what is stored, beside links, of those of the groups' people whose records may get stamps.

    `modules` are the connector's settings, by which they will be planned.
    """
    if modules.consent.enabled or modules.orders.category_tags:
        return {}
    people = [group.person_key for group in groups if all(map(_is_of_page, group.deliveries))]
    return stamps.beside_links(session, connector, people) if people else {}


def _is_of_page(leased: LeasedDelivery) -> bool:
    """Tell whether what is sent of a record is the store's row, as a page of history had it."""
    stream = streams.of(leased.kind)
    whole = ROW in leased.payload and not leased.corrections and leased.event not in LEAVES
    return whole and leased.origin in _OF_PAGES and (stream.is_account or stream.in_ledger)


def give(session: Session, result: BatchResult, ours: Sequence[Outcome]) -> None:
    """Stamp the records that were delivered whole; the caller has written all else of them."""
    laid, question = result.laid, result.question
    if laid is None or result.broken is not None or question.looked_up is not None or question.calls:
        return
    whole = {each.delivery_id for each in ours if _is_whole(each)}
    sent = [one for one in result.sent.planned if one.group.person_key in laid.kept]
    found = [one for one in sent if _is_settled(one, result, whole) and _stays(one, laid.context)]
    ids = [leased.source_id for one in found for leased in one.group.deliveries if streams.of(leased.kind).is_account]
    own = stamping.own_accounts(session, result.connector_id, ids)
    found = [one for one in found if all(stamping.lasts(each, laid.context, own) for each in one.group.deliveries)]
    if found:
        stamps.keep(session, result.connector_id, list(_rows(session, result, laid, found)))


def _is_whole(outcome: Outcome) -> bool:
    return outcome.state is DeliveryState.DELIVERED and not (outcome.partial or outcome.error_code)


def _is_settled(one: PersonPlan, result: BatchResult, whole: Collection[int]) -> bool:
    """Tell whether Mautic took all of a person as it was planned, nothing of it being left out, kept or forced.

    What the plan itself has changed in values it would change alike once more.
    """
    receipt = result.sent.receipts.get(one.group.person_key)
    if receipt is None or receipt.error is not None or one.write is None:
        return False
    changed = receipt.adjustments or receipt.limits or receipt.unknown or receipt.refused
    special = one.skips or one.errors or one.conflicts or one.consents or one.lost
    moved = one.link is not None and (one.link.contact_id != receipt.mautic_id or one.link.former)
    if changed or special or moved or one.forced or one.settled or one.looked:
        return False
    return all(each.id in whole and each.id not in result.sent.notes for each in one.group.deliveries)


# -- what hangs on the link -------------------------------------------------------------------------------------------


def _stays(one: PersonPlan, context: BatchContext) -> bool:
    """Tell whether no plan of the person's records becomes another by the link that the person has now."""
    person_key, deliveries = one.group.person_key, one.group.deliveries
    if person_key in context.moved or person_key in context.blocked:
        return False
    of_ledger = [leased for leased in deliveries if streams.of(leased.kind).in_ledger]
    # Of two accounts with one address the one that was changed last counts, which the link tells.
    if len(deliveries) - len(of_ledger) > 1:
        return False
    before = one.link.hashes if one.link else {}
    after = {**before, **one.hashes}
    given = given_tags(Linked(0, after))
    names = not of_ledger or _names_alike(person_key, context, before, after)
    return names and all(_order_stays(leased, context, given) for leased in of_ledger)


def _names_alike(person_key: str, context: BatchContext, *links: Mapping[str, str]) -> bool:
    """Tell whether by each of these links the same order may tell name and address (latest_order.py).

    It is the newest of those that were placed, or the newest that is synced unless a link has them from another.
    """
    newest = context.people.newest(person_key, context.synced)
    if newest is None or newest is context.people.newest(person_key, context.placed):
        return newest is not None
    return all(link.get(latest_order.NAMED_BY) in (None, str(newest.order_id)) for link in links)


def _order_stays(leased: LeasedDelivery, context: BatchContext, given: Collection[str]) -> bool:
    order, module, space = leased.record, context.modules.orders, context.modules.naming.name_space
    synced = order.status == leased.event and order.status in module.statuses and order.status != GONE
    if not synced or (module.remove_completed_tag and order.status in UNDONE):
        return False
    return not orders.respelt(order, order.status, module, context.shop, orders.History(given=given), space)


# -- how it is written ------------------------------------------------------------------------------------------------


def _rows(session: Session, result: BatchResult, laid: Laid, found: Sequence[PersonPlan]) -> Iterator[dict[str, Any]]:
    decides, records = stamps.ground(laid.context.connector), _records(session, result.connector_id, found)
    links = stamps.linked(session, result.connector_id, [one.group.person_key for one in found])
    for one in found:
        person_key, contact_id = one.group.person_key, result.sent.contact_of(one)
        rows = [*laid.kept[person_key], *links[person_key]]
        for theirs in _by_page(one.group.deliveries).values():
            stamp = stamps.made(decides, rows, [records[each.kind, each.source_id] for each in theirs])
            for leased in theirs:
                version = leased.modified_at.isoformat() if leased.modified_at else ""
                outcome = outcomes.unchanged(leased, contact_id, one.plans[leased.id].withheld)
                yield stamping.row(leased, version, _digest(leased), stamp, outcome)


def _records(session: Session, connector_id: int, found: Sequence[PersonPlan]) -> dict[tuple[Kind, str], list[str]]:
    digests: dict[Kind, dict[str, str]] = {}
    for leased in (leased for one in found for leased in one.group.deliveries):
        digests.setdefault(leased.kind, {})[leased.source_id] = _digest(leased)
    return {
        (kind, source_id): decides
        for kind, theirs in digests.items()
        for source_id, decides in stamps.of_records(session, connector_id, kind, theirs).items()
    }


def _by_page(deliveries: Sequence[LeasedDelivery]) -> dict[Place, list[LeasedDelivery]]:
    """Return the records as a sync will plan them: those of one page together."""
    pages: dict[Place, list[LeasedDelivery]] = {}
    for leased in deliveries:
        pages.setdefault((leased.kind, leased.payload[ROW][0]), []).append(leased)
    return pages


def _digest(leased: LeasedDelivery) -> str:
    return str(leased.payload[ROW][1])
