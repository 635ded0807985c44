"""Gives all that is stored of a person another key; where both keys have rows, two people become one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select, update
from sqlalchemy.orm import aliased

from integration.models.buyer_score import BuyerScore
from integration.models.consent import ConsentEntry
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery, DeliveryState
from integration.models.drift import Drift, Reconciled, Reconciliation
from integration.models.ledger import LedgerEntry
from integration.models.person_stamp import PersonStamp
from integration.models.record_stamp import RecordStamp
from integration.models.recurring_order import RecurringEntry
from integration.models.sync_log import SyncLogEntry
from integration.models.unanswered import UnansweredPerson


def rekey(connection: Connection, connector_id: int, old: str, new: str) -> None:
    """Give all rows of the person `old` the key `new`, in the caller's transaction.

    Only what is on its way to Mautic this moment keeps its key, if somebody is on the way under the new one as well:
    of one person one delivery leads.
    """
    _deliveries(connection, connector_id, old, new)
    _link(connection, connector_id, old, new)
    for table in (LedgerEntry, RecurringEntry, SyncLogEntry, ConsentEntry):
        mine = (table.connector_id == connector_id) & (table.person_key == old)
        connection.execute(update(table).where(mine).values(person_key=new))
    _in_question(connection, connector_id, old, new)
    # The orders of two people are one person's now: both scores are over, and the next night gives a new one. Stamps
    # hold no more either, and none is left under a key that nobody has.
    for ended in (BuyerScore, RecordStamp, PersonStamp):
        theirs = (ended.connector_id == connector_id) & ended.person_key.in_([old, new])
        connection.execute(delete(ended).where(theirs))
    for met in (Reconciled, Drift):
        _of_reconciliations(connection, connector_id, met, old, new)


def addresses_in(payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses that a stored payload names; the person is known by one of them."""
    billing = payload.get("billing")
    for address in (payload.get("email"), billing.get("email") if isinstance(billing, Mapping) else None):
        if isinstance(address, str) and address:
            yield address


def _deliveries(connection: Connection, connector_id: int, old: str, new: str) -> None:
    mine = (Delivery.connector_id == connector_id) & (Delivery.person_key == old)
    lead = (Delivery.connector_id == connector_id) & (Delivery.person_key == new)
    leads = lead & Delivery.state.in_([DeliveryState.READY, DeliveryState.LEASED])
    if connection.scalar(select(Delivery.id).where(leads).limit(1)) is not None:
        # The others wait behind who leads under the new key; their own lead may only follow when it is not under way.
        ready = mine & (Delivery.state == DeliveryState.READY)
        connection.execute(update(Delivery).where(ready).values(state=DeliveryState.WAITING))
        mine &= Delivery.state != DeliveryState.LEASED
    connection.execute(update(Delivery).where(mine).values(person_key=new))


def _link(connection: Connection, connector_id: int, old: str, new: str) -> None:
    columns = (ContactLink.person_key, ContactLink.contact_id, ContactLink.fields, ContactLink.written_at)
    both = ContactLink.person_key.in_([old, new])
    query = select(*columns).where(ContactLink.connector_id == connector_id, both).order_by(ContactLink.written_at)
    links = connection.execute(query).all()
    if not any(link.person_key == old for link in links):
        return
    if len(links) > 1:
        gone = (ContactLink.connector_id == connector_id) & (ContactLink.person_key == new)
        connection.execute(delete(ContactLink).where(gone))
    mine = (ContactLink.connector_id == connector_id) & (ContactLink.person_key == old)
    connection.execute(update(ContactLink).where(mine).values(person_key=new, **_merged(links)))


def _merged(links: Sequence[Row[Any]]) -> Mapping[str, Any]:
    """Return the link that was written last, with what is known from the other if it leads to the same contact."""
    last = links[-1]
    fields: dict[str, Any] = {}
    for link in links:
        fields |= (link.fields or {}) if link.contact_id == last.contact_id else {}
    return {"contact_id": last.contact_id, "fields": fields, "written_at": last.written_at}


def _in_question(connection: Connection, connector_id: int, old: str, new: str) -> None:
    """Keep a person held whose call had no answer: set free, they could be sent again and be made twice."""
    mine = (UnansweredPerson.connector_id == connector_id) & (UnansweredPerson.person_key == old)
    other = aliased(UnansweredPerson)
    held = exists().where(other.connector_id == connector_id, other.person_key == new)
    connection.execute(delete(UnansweredPerson).where(mine, held))
    connection.execute(update(UnansweredPerson).where(mine).values(person_key=new, seen=None))


def _of_reconciliations(
    connection: Connection, connector_id: int, table: type[Reconciled] | type[Drift], old: str, new: str
) -> None:
    ours = select(Reconciliation.id).where(Reconciliation.connector_id == connector_id)
    mine = (table.person_key == old) & table.reconciliation_id.in_(ours)
    other = aliased(table)
    twice = exists().where(other.reconciliation_id == table.reconciliation_id, other.person_key == new)
    connection.execute(delete(table).where(mine, twice))
    connection.execute(update(table).where(mine).values(person_key=new))
