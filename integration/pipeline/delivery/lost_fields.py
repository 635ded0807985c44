"""What Mautic's answers say of its fields: one that was deleted, or is not as the list has it, is noticed at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from integration.errors import Rejected, ServiceError
from integration.mautic.client import MauticClient
from integration.mautic.results import Receipt
from integration.models.connector import Connector
from integration.pipeline.connectors import field_list
from integration.pipeline.delivery.batch_context import BatchContext, Linked
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.planning import PersonPlan, plan_group
from integration.pipeline.delivery.read_back import ReadBack
from integration.pipeline.services import Services
from integration.plans import Skip

log = logging.getLogger(__name__)

#: A list that was read so lately can tell no more of a value that Mautic refused: the value is to blame.
RECENT = timedelta(minutes=1)


#: Person key -> fields that were sent for the person and that Mautic turned out not to have.
Lost = Mapping[str, Collection[str]]
Lay = Callable[[Sequence[DeliveryGroup], Connector], BatchContext]
Write = Callable[[Sequence[PersonPlan]], tuple[list[Receipt], ServiceError | None]]


@dataclass
class Watch:
    """Looks at the answers to one batch; `connector` has the list of fields that it was mapped by, or a newer one."""

    services: Services
    connector: Connector
    client: MauticClient
    refused: Mapping[int, Skip]

    def finds(self, receipts: Sequence[Receipt]) -> bool:
        """Read the list anew if an answer contradicts it; True if a value went to a field that was not there."""
        lost = any(receipt.unknown for receipt in receipts)
        doubtful = lost or _refused(self.connector, receipts, self.services.clock.now())
        return doubtful and self._reread() and lost

    def unproved(self, planned: Sequence[PersonPlan], proofs: Sequence[ReadBack]) -> list[PersonPlan]:
        """Read the list anew if a contact that was read back has not a field that was sent; return the plans then."""
        lost = {proof.key: proof.unknown for proof in proofs if proof.unknown}
        if lost:
            self._reread()
        return forgetting(planned, lost)

    def _reread(self) -> bool:
        try:
            self.connector = field_list.refresh(self.services, self.connector, self.client)
        except ServiceError as error:
            log.info("The list of fields could not be read: %s", error)
            return False
        return True

    def rewritten(
        self, planned: Sequence[PersonPlan], receipts: Sequence[Receipt], lay: Lay, write: Write
    ) -> tuple[list[PersonPlan], list[Receipt], ServiceError | None]:
        """Map anew, by the new list, who met a field that was not there, and write again what has room now.

        Return all plans and receipts of the batch as they are then, and the connection's error that stopped it.
        """
        again = _planned_again(planned, receipts, lay([one.group for one in planned], self.connector), self.refused)
        first, people = {receipt.key: receipt for receipt in receipts}, {one.group.person_key for one in again}
        written, broken = write([one for one in again if _has_room(one, first)])
        second = {receipt.key: receipt for receipt in written if receipt.key in people}
        forgot = forgetting(again, {key: second.get(key, first[key]).unknown for key in people})
        anew = {one.group.person_key: one for one in forgot}
        done = first | {key: _as_one(first[key], receipt) for key, receipt in second.items()}
        return [anew.get(one.group.person_key, one) for one in planned], list(done.values()), broken


def forgetting(planned: Sequence[PersonPlan], lost: Lost) -> list[PersonPlan]:
    """Return the plans such that no value counts as confirmed that went to a field which is not there."""
    return [_forgot(one, frozenset(lost.get(one.group.person_key, ()))) for one in planned]


def _forgot(planned: PersonPlan, lost: frozenset[str]) -> PersonPlan:
    return replace(planned, lost=planned.lost | lost) if lost else planned


def unknown_to(receipts: Sequence[Receipt]) -> Lost:
    """Return whose values went to fields that Mautic does not have, and which."""
    return {receipt.key: receipt.unknown for receipt in receipts if receipt.unknown}


def _refused(connector: Connector, receipts: Sequence[Receipt], now: datetime) -> bool:
    """Tell whether Mautic refused the value of a field that the list has, and the list is old enough to be wrong."""
    if connector.fields_at is not None and now - connector.fields_at < RECENT:
        return False
    known = {field["alias"] for field in connector.fields}
    return any(not known.isdisjoint(_named(receipt)) for receipt in receipts)


def _named(receipt: Receipt) -> set[str]:
    details = receipt.error.details if isinstance(receipt.error, Rejected) else {}
    return {*receipt.refused, *details}


def _planned_again(
    planned: Sequence[PersonPlan], receipts: Sequence[Receipt], context: BatchContext, refused: Mapping[int, Skip]
) -> list[PersonPlan]:
    ids = {receipt.key: receipt.mautic_id for receipt in receipts if receipt.unknown and receipt.error is None}
    links = {
        person_key: Linked(number, _hashes(context, person_key))
        for person_key, number in ids.items()
        if number is not None
    }
    known = replace(context, links={**context.links, **links})
    again = [one for one in planned if one.group.person_key in ids]
    return [_as_looked(one, plan_group(one.group, known, refused)) for one in again]


def _as_looked(before: PersonPlan, again: PersonPlan) -> PersonPlan:
    """Return the new plan with what was found out of Do Not Contact: the first write has set it, or left it alone."""
    if again.write is None or not before.looked:
        return again
    return replace(again, write=replace(again.write, do_not_contact=None), looked=True)


def _hashes(context: BatchContext, person_key: str) -> Mapping[str, str]:
    link = context.links.get(person_key)
    return link.hashes if link else {}


def _has_room(one: PersonPlan, receipts: Mapping[str, Receipt]) -> bool:
    """Tell whether Mautic has a field again that a person's values could not be written to."""
    return one.write is not None and not one.write.fields.keys().isdisjoint(receipts[one.group.person_key].unknown)


def _as_one(first: Receipt, second: Receipt) -> Receipt:
    """Return what both writes of one person came to: the first one made the contact, if it was made."""
    if second.error is not None:
        return second
    return replace(
        second,
        outcome=first.outcome,
        calls=first.calls + second.calls,
        request=first.request,
        status=first.status,
        adjustments=(*first.adjustments, *(each for each in second.adjustments if each not in first.adjustments)),
    )
