"""What a full sync would write for one person: what a comparison looks for in Mautic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from integration import streams
from integration.events import Kind
from integration.identity import normalise_email, visible
from integration.mapping.fields import fit
from integration.mapping.merge import merge
from integration.operations.reconciliation.people import Person
from integration.pipeline.delivery import batch_context, latest_order, stamping
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.delivery.planning import PersonPlan, plan_group
from integration.plans import ContactWrite, Plan
from integration.streams import contacts as contacts_stream, orders


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a full sync would write for one person: by kind of record, for their fields may differ for ever, and whole.

    A field is right when Mautic has the value of any of them. `hashes` are those of the contact link. Without
    `with_profile` the store refused it: what a profile once gave may be right whatever the orders say. `stored` is the
    digest of all that is stored of the person (agreed.py), "" where the verdict may be another by time alone.

    Of orders in a status that is not synced a full sync reads the list alone. What they say of name and address comes
    by live changes only, so that Mautic may have it or not: `without_unsynced` is what all other records say without
    them, and `optional` are the aliases of which only they tell.
    """

    person: Person
    by_kind: Sequence[ContactWrite]
    whole: ContactWrite
    contact_id: int | None
    hashes: Mapping[str, str]
    with_profile: bool = True
    stored: str = ""
    without_unsynced: Sequence[ContactWrite] = ()
    optional: frozenset[str] = frozenset()

    @property
    def untold(self) -> frozenset[str]:
        """Return the aliases that prove nothing: of them only an order that is not synced, or no profile, could tell.

        "email" and "contact" are among them where the profile is unread.
        """
        begin = f"{contacts_stream.KIND}."
        known = {key.removeprefix(begin) for key in self.hashes if key.startswith(begin)}
        unread = known | {"email", "contact"} if known and not self.with_profile else set()
        return self.optional | unread

    @property
    def address(self) -> str:
        """Return the address the contact is looked for by."""
        return normalise_email(self.whole.email)


def plan_wanted(person: Person, context: BatchContext, stored: str = "") -> Wanted | None:
    """Return what a full sync would write for a person, None when it would write nothing or could not."""
    planned = plan_group(person.group, context)
    if planned.write is None or not visible(planned.write.email):
        return None
    number, known = (planned.link.contact_id, planned.link.hashes) if planned.link else (None, {})
    lasting = stored if _lasts(person, planned, context) else ""
    wanted = Wanted(person, _writes(planned, context), planned.write, number, known, stored=lasting)
    return _with_choice(wanted, planned, context)


def _with_choice(wanted: Wanted, planned: PersonPlan, context: BatchContext) -> Wanted:
    """Return the same with what a full sync, which does not read orders that are not synced, would write otherwise."""
    unsynced = [each for each in planned.pending if _is_unsynced(each, context)]
    if not unsynced:
        return wanted
    others = tuple(each for each in planned.group.deliveries if each not in unsynced)
    without = _writes(plan_group(replace(planned.group, deliveries=others), context), context)
    corrected = context.sum_aliases | latest_order.data_aliases(context)
    theirs = {alias for write in without for alias in write.fields}
    optional = {alias for write in wanted.by_kind for alias in write.fields} - theirs - corrected
    told = {alias for write in wanted.by_kind for alias in _told(write, wanted.hashes)}
    return replace(wanted, without_unsynced=without, optional=frozenset(optional - told))


def _is_unsynced(leased: LeasedDelivery, context: BatchContext) -> bool:
    return streams.of(leased.kind).in_ledger and leased.event not in context.modules.orders.statuses


def _told(write: ContactWrite, known: Mapping[str, str]) -> set[str]:
    """Return the aliases of a write of orders that Mautic has confirmed, by a live change then: it is to keep them."""
    hashes = batch_context.hashes("", ContactWrite("", write.fields))
    return {alias for alias in write.fields if known.get(f"{orders.KIND}.{alias}") == hashes[f".{alias}"]}


def _lasts(person: Person, planned: PersonPlan, context: BatchContext) -> bool:
    """Tell whether nothing but a change can make another plan; what the store says of products has an age of its own.

    By the same rule nothing has to be noted of the orders in the ledger, however often they are read.
    """
    if not person.is_whole or planned.errors or context.modules.orders.category_tags:
        return False
    orders = (leased for leased in planned.group.deliveries if streams.of(leased.kind).in_ledger)
    return all(stamping.order_lasts(leased, context) for leased in orders)


def _writes(planned: PersonPlan, context: BatchContext) -> list[ContactWrite]:
    """Return what the records of each kind say, in the order in which an import writes the kinds."""
    found: dict[Kind, list[Plan]] = {}
    for leased in planned.pending:
        found.setdefault(leased.kind, []).append(planned.plans[leased.id])
    plans = (found[kind] for kind in streams.STREAMS if kind in found)
    return [fit(merge(each).contact, context.fields, known=planned.link is not None)[0] for each in plans]
