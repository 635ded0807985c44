"""Deletes a contact of Mautic: only the person's own, and only where nothing else that we keep holds it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete as deleted_from, func, select
from sqlalchemy.orm import Session

from integration.errors import Rejected
from integration.identity import person_key_of
from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.mautic.search import email_of
from integration.models.cart import OPEN as OPEN_CARTS, Cart
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery
from integration.models.former_address import FormerAddress
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.subscription import Subscription, SubscriptionState
from integration.pipeline.connectors import neighbours
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.outbox.states import OPEN
from integration.words import counted

DELETED = "The contact was deleted in Mautic."
GONE = "The contact was gone from Mautic already."
STRANGER = "The contact was kept: it has another person's address in Mautic by now."


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of a contact, in a sentence; `kept` says that it is still there."""

    sentence: str
    kept: bool = False


def delete(client: MauticClient, contact_id: int, people: Collection[str]) -> Deletion:
    """Delete a contact whose address is of one of these person keys; the contact is read first.

    Twice, as after an answer that was lost, finds nobody the second time (mautic:171, mautic:172, mautic:559). Raises
    ServiceError.
    """
    contact = reading.by_ids(client, [contact_id]).get(contact_id)
    if contact is None:
        return Deletion(GONE)
    if person_key_of(email_of(contact)) not in people:
        return Deletion(STRANGER, kept=True)
    try:
        client.delete(f"contacts/{contact_id}/delete")
    except Rejected as error:
        if error.status != 404:
            raise
        return Deletion(GONE)
    return Deletion(DELETED)


def people(session: Session, connector_id: int, person_key: str) -> frozenset[str]:
    """Return the keys of all addresses that a person has or had."""
    former = select(FormerAddress.person_key).where(
        FormerAddress.connector_id == connector_id, FormerAddress.now_key == person_key
    )
    return frozenset({person_key, *session.scalars(former)})


def held(session: Session, connector_id: int, leased: LeasedDelivery, contact_id: int, customer_id: int) -> str:
    """Return in a sentence what else of ours holds the contact of a deleted customer, "" when nothing does.

    Orders count whether the account or a guest placed them: as long as the store has them they are the person's.
    """
    keys = sorted(people(session, connector_id, leased.person_key))
    orders = _count(session, LedgerEntry, _of(LedgerEntry, connector_id, keys), LedgerEntry.gone_at.is_(None))
    reasons = [
        (orders, f"{counted(orders, 'order')} of the person, placed by the account or as a guest."),
        (_accounts(session, connector_id, keys, customer_id), "another account of the store has the same address."),
        (_subscribed(session, connector_id, keys), "the person has subscribed by the form."),
        (_carts(session, connector_id, keys), "a cart of the person is open."),
        (_waiting(session, connector_id, keys, leased), "something newer of the person waits to be sent."),
        (_others(session, connector_id, keys, contact_id), "records of somebody else are written to it, too."),
        (_elsewhere(session, connector_id, contact_id), "another connector writes to it, too."),
    ]
    return next((reason for found, reason in reasons if found), "")


def forget(session: Session, connector_id: int, contact_ids: Iterable[int]) -> None:
    """Let go of the links to contacts that were deleted; what comes of the person later makes a new contact."""
    if ids := sorted(set(contact_ids)):
        mine = (ContactLink.connector_id == connector_id) & ContactLink.contact_id.in_(ids)
        session.execute(deleted_from(ContactLink).where(mine))


def _count(session: Session, model: type, *which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*which)) or 0


def _of(model: type, connector_id: int, keys: Collection[str]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (model.connector_id == connector_id) & model.person_key.in_(keys)  # type: ignore[attr-defined]
    return found


def _accounts(session: Session, connector_id: int, keys: Collection[str], customer_id: int) -> int:
    return _count(session, CustomerMark, _of(CustomerMark, connector_id, keys), CustomerMark.customer_id != customer_id)


def _subscribed(session: Session, connector_id: int, keys: Collection[str]) -> int:
    agreed = Subscription.state != SubscriptionState.PENDING
    return _count(session, Subscription, _of(Subscription, connector_id, keys), agreed)


def _carts(session: Session, connector_id: int, keys: Collection[str]) -> int:
    return _count(session, Cart, _of(Cart, connector_id, keys), Cart.state.in_(OPEN_CARTS))


def _waiting(session: Session, connector_id: int, keys: Collection[str], leased: LeasedDelivery) -> int:
    newer = (Delivery.id > leased.id) & (Delivery.event != "deleted")
    return _count(session, Delivery, _of(Delivery, connector_id, keys), OPEN, newer)


def _others(session: Session, connector_id: int, keys: Collection[str], contact_id: int) -> int:
    same = (ContactLink.connector_id == connector_id) & (ContactLink.contact_id == contact_id)
    return _count(session, ContactLink, same, ContactLink.person_key.not_in(keys))


def _elsewhere(session: Session, connector_id: int, contact_id: int) -> int:
    return len(neighbours.links_to(session, neighbours.ids(session, connector_id), contact_id))
