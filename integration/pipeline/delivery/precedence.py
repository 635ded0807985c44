"""Which of a person's records has the last word where they disagree, whatever the order in which they come.

A tag stands as long as an order that adds it is in good order: the removal by another, undone order does not count.
Of two accounts with one address the one that was changed last gives the values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from integration.events import Kind
from integration.mapping.tags import UNDONE, fit_tags
from integration.models.ledger import LedgerEntry
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.ingest.order_ledger import GONE
from integration.plans import Plan, Skip
from integration.store import parse

OLDER_ACCOUNT = Skip(
    "older_account", "Another account with this e-mail address was changed later in the store; its values stand."
)
#: Where a contact link keeps which account had the last word; the hashes of its values have a dot in their names.
ACCOUNT = str(Kind.CONTACT)


def adders(deliveries: Iterable[LeasedDelivery], plans: Mapping[int, Plan]) -> dict[str, str]:
    """Return tag as Mautic has it -> id of the last order that adds it."""
    return {
        tag: leased.source_id for leased in deliveries if leased.kind is Kind.ORDER for tag in _added(plans[leased.id])
    }


def _added(plan: Plan) -> Iterator[str]:
    return (tag for tag in fit_tags(plan.contact.tags)[0] if not tag.startswith("-"))


def keep_held_tags(
    deliveries: Sequence[LeasedDelivery], plans: dict[int, Plan], known: Mapping[str, str], rows: Iterable[LedgerEntry]
) -> None:
    """Take removals of tags that another order of the person holds out of the plans.

    `known` is what the contact link says (`batch_context.hashes`): a tag that stands there names the order that added
    it. `rows` are the person's orders: one that was undone, deleted or given to somebody else holds nothing. Removals
    of tags that no earlier order of the contact has given go as well.
    """
    orders = [leased for leased in deliveries if leased.kind is Kind.ORDER]
    undoing = [leased for leased in orders if any(tag.startswith("-") for tag in plans[leased.id].contact.tags)]
    if not undoing:
        return
    by_status = {str(row.order_id): row.status for row in rows}
    standing = {number for number, status in by_status.items() if status not in (*UNDONE, GONE)}
    fallen = by_status.keys() - standing
    added = [(leased.source_id, set(_added(plans[leased.id]))) for leased in orders if leased.source_id not in fallen]
    for leased in undoing:
        held = {tag for number, tags in added if number != leased.source_id for tag in tags}
        plans[leased.id] = _without(plans[leased.id], held, known, standing - {leased.source_id})


def _without(plan: Plan, held: Collection[str], known: Mapping[str, str], standing: Collection[str]) -> Plan:
    synced_before = any(key.startswith(f"{Kind.ORDER}.") for key in known)

    def stays(tag: str) -> bool:
        name = next(iter(fit_tags((tag.removeprefix("-"),))[0]), "")
        confirmed = known.get(f"{Kind.ORDER}.tag:{name}")
        # What no order of a contact has given needs no removal, and a full sync would find it anew each time.
        never_given = synced_before and confirmed is None
        return name in held or never_given or (confirmed or "").removeprefix("+") in standing

    tags = tuple(tag for tag in plan.contact.tags if not (tag.startswith("-") and stays(tag)))
    return replace(plan, contact=replace(plan.contact, tags=tags))


def rank(leased: LeasedDelivery) -> str:
    """Return what tells which of two accounts was changed later: comparable text that ends with the account's id."""
    customer = parse.customer(leased.payload)
    at = customer.modified_at or customer.created_at
    return f"{at.isoformat() if at else ''}/{leased.source_id:0>20}"


def older_accounts(deliveries: Iterable[LeasedDelivery], known: Mapping[str, str]) -> set[int]:
    """Return the ids of the deliveries whose account was changed before another one of the same person."""
    ranks = {leased.id: rank(leased) for leased in deliveries if leased.kind is Kind.CONTACT}
    last = max((*ranks.values(), known.get(ACCOUNT, "")), default="")
    account = last.rpartition("/")[2]
    return {number for number, each in ranks.items() if each.rpartition("/")[2] != account}
