"""Which of a person's records has the last word where they disagree, whatever the order in which they come.

A tag stands as long as an order that adds it is in good order: the removal by another, undone order does not count.
Of two accounts with one address the one that was changed last gives the values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from integration import streams
from integration.mapping.tags import UNDONE, fit_tags
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.ingest.known_order import KnownOrder
from integration.pipeline.ingest.order_ledger import GONE
from integration.plans import Plan, Skip
from integration.record_ids import number_of
from integration.streams import orders as orders_stream

OLDER_ACCOUNT = Skip(
    "older_account", "Another account with this e-mail address was changed later in the store; its values stand."
)


def adders(deliveries: Iterable[LeasedDelivery], plans: Mapping[int, Plan]) -> dict[str, str]:
    """Return tag as Mautic has it -> id of the last order that adds it."""
    return {tag: leased.source_id for leased in _holding(deliveries) for tag in _added(plans[leased.id])}


def _holding(deliveries: Iterable[LeasedDelivery]) -> list[LeasedDelivery]:
    return [leased for leased in deliveries if streams.of(leased.kind).holds_tags]


def _added(plan: Plan) -> Iterator[str]:
    return (tag for tag in fit_tags(plan.contact.tags)[0] if not tag.startswith("-"))


def keep_held_tags(
    deliveries: Sequence[LeasedDelivery], plans: dict[int, Plan], known: Mapping[str, str], rows: Iterable[KnownOrder]
) -> None:
    """Take removals of tags that another order of the person holds out of the plans.

    `known` is what the contact link says (`batch_context.hashes`): a tag that stands there names the order that added
    it. `rows` are the person's orders: one that was undone, deleted or given to somebody else holds nothing. Removals
    of tags that no earlier order of the contact has given go as well.
    """
    orders = _holding(deliveries)
    undoing = [leased for leased in orders if any(tag.startswith("-") for tag in plans[leased.id].contact.tags)]
    if not undoing:
        return
    by_status = {row.order_id: row.status for row in rows}
    standing = {number for number, status in by_status.items() if status not in (*UNDONE, GONE)}
    fallen = by_status.keys() - standing
    numbers = {leased.id: number_of(leased.source_id) for leased in orders}
    added = [(numbers[each.id], set(_added(plans[each.id]))) for each in orders if numbers[each.id] not in fallen]
    for leased in undoing:
        own = numbers[leased.id]
        held = {tag for number, tags in added if number != own for tag in tags}
        plans[leased.id] = _without(plans[leased.id], held, known, standing - {own})


def _without(plan: Plan, held: Collection[str], known: Mapping[str, str], standing: Collection[int]) -> Plan:
    synced_before = any(key.startswith(f"{orders_stream.KIND}.") for key in known)

    def stays(tag: str) -> bool:
        name = next(iter(fit_tags((tag.removeprefix("-"),))[0]), "")
        confirmed = known.get(f"{orders_stream.KIND}.tag:{name}")
        # What no order of a contact has given needs no removal, and a full sync would find it anew each time.
        never_given = synced_before and confirmed is None
        return name in held or never_given or number_of((confirmed or "").removeprefix("+")) in standing

    tags = tuple(tag for tag in plan.contact.tags if not (tag.startswith("-") and stays(tag)))
    return replace(plan, contact=replace(plan.contact, tags=tags))


def older_accounts(deliveries: Sequence[LeasedDelivery], known: Mapping[str, str]) -> set[int]:
    """Return the ids of the deliveries whose account was changed before another one of the same person.

    A contact link keeps under the kind's name which of its records had the last word (`last_words`).
    """
    older: set[int] = set()
    for kind in {leased.kind for leased in deliveries}:
        words = last_words(leased for leased in deliveries if leased.kind is kind)
        account = max((*words.values(), known.get(str(kind), "")), default="").rpartition("/")[2]
        older |= {number for number, word in words.items() if word.rpartition("/")[2] != account}
    return older


def last_words(deliveries: Iterable[LeasedDelivery]) -> dict[int, str]:
    """Return delivery id -> what tells which record was changed last, of the kinds of which only one counts."""
    words = {leased.id: streams.of(leased.kind).last_word(leased) for leased in deliveries}
    return {number: word for number, word in words.items() if word}
