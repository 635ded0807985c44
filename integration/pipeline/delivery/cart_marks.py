"""Tells carts what became of their deliveries, in the transaction that settles them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.identity import person_key_of
from integration.mapping import consent
from integration.mapping.consent import Consent
from integration.models.cart import OPEN, Cart, CartState
from integration.models.delivery import DeliveryState
from integration.pipeline import outbox
from integration.pipeline.consents import ledger
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.ingest import cart_orders, cart_succession
from integration.pipeline.ingest.cart_keeping import SILENT, tell
from integration.pipeline.ingest.cart_leftovers import leave_person
from integration.streams.base import LEAVES
from integration.streams.carts import ABANDONED, BOUGHT, ENDS, NEWER, RECOVERED, TOO_LATE, change_of

_UNCHANGED = "unchanged"
#: What a skipped cart becomes, by the code of the skip.
_ENDED = {BOUGHT.code: CartState.BOUGHT, TOO_LATE.code: CartState.EXPIRED}


def mark(
    session: Session, now: datetime, connector_id: int, planned: Sequence[PersonPlan], ours: Sequence[Outcome]
) -> None:
    """Note on the carts among the settled deliveries that they are in Mautic, were bought, or failed."""
    leased = {each.id: each for one in planned for each in one.group.deliveries if streams.of(each.kind).is_cart}
    settled = [outcome for outcome in ours if outcome.delivery_id in leased and outcome.state is not None]
    if not settled:
        return
    carts = _carts(session, connector_id, leased)
    for outcome in settled:
        cart = carts.get(leased[outcome.delivery_id].source_id)
        if cart is not None:
            _mark(session, now, cart, leased[outcome.delivery_id], outcome)


def _carts(session: Session, connector_id: int, leased: Mapping[int, LeasedDelivery]) -> dict[str, Cart]:
    ids = {int(each.source_id) for each in leased.values() if each.source_id.isdigit()}
    query = select(Cart).where(Cart.connector_id == connector_id, Cart.id.in_(ids))
    return {str(cart.id): cart for cart in session.scalars(query)}


def _mark(session: Session, now: datetime, cart: Cart, leased: LeasedDelivery, outcome: Outcome) -> None:
    sent = outcome.state is DeliveryState.DELIVERED or outcome.error_code == _UNCHANGED
    if leased.event in LEAVES:
        return _taken_back(session, now, cart, outcome, sent=sent)
    if sent and leased.event == ABANDONED and _former(leased, cart):
        return _sent_to_former(session, now, cart, _former(leased, cart), outcome)
    cart.contact_id = outcome.contact_id or cart.contact_id
    if outcome.state is DeliveryState.DEAD:
        cart.problem = outcome.message
        return tell(session, now, cart, f"It could not be sent to Mautic: {outcome.message}")
    cart.problem = outcome.message if outcome.partial else ""
    if leased.event != ABANDONED:
        return tell(session, now, cart, "Mautic knows that the cart was bought.") if sent else None
    if sent:
        return _sent(session, now, cart, is_current=cart.changed_at <= leased.payload_at)
    ended = _ENDED.get(outcome.error_code)
    if ended is not None and cart.state == CartState.ABANDONED and cart.synced_at is not None:
        # What Mautic has of it from before is recovered when the order is paid.
        cart.state = CartState.SYNCED
    elif ended is not None and cart.state == CartState.ABANDONED:
        cart.state, cart.reason, cart.ended_at = ended, outcome.error_code, now
        tell(session, now, cart, ENDS[outcome.error_code])
    return None


def _taken_back(session: Session, now: datetime, cart: Cart, outcome: Outcome, *, sent: bool) -> None:
    """Note how it ended for the contact who has the cart no more."""
    if sent:
        return tell(session, now, cart, f"Contact {outcome.contact_id} has the cart no more.")
    if outcome.state is DeliveryState.DEAD:
        cart.problem = f"The former contact still has the cart: {outcome.message}"
        return tell(session, now, cart, cart.problem)
    return tell(session, now, cart, f"At the former contact nothing was changed: {outcome.message}")


def _former(leased: LeasedDelivery, cart: Cart) -> str:
    """Return the person whom a cart was sent to although it is somebody else's by now, "" where it is theirs."""
    person_key = person_key_of(leased.record.email)
    return person_key if person_key != cart.person_key else ""


def _sent_to_former(session: Session, now: datetime, cart: Cart, person_key: str, outcome: Outcome) -> None:
    """Take back at once what was on its way when the address was changed."""
    cart.synced_at = cart.synced_at or now
    leave_person(session, now, cart, person_key)
    said = f"Sent to Mautic, contact {outcome.contact_id}, as the address was changed: that contact loses it again."
    tell(session, now, cart, said)


def _keep_consent(session: Session, now: datetime, cart: Cart) -> None:
    """Keep as evidence what a cart was sent under; who has taken it back before that has left nothing of themselves."""
    given = cart.consent or {}
    if given.get("source") in (None, SILENT):
        return
    at = datetime.fromisoformat(given["at"])
    said = Consent(consent.GIVEN, consent.CART, str(cart.id), at, cart.email, wording=str(given.get("wording") or ""))
    ledger.add(session, now, cart.connector_id, [(cart.person_key, said)])


def _sent(session: Session, now: datetime, cart: Cart, *, is_current: bool) -> None:
    """Note that Mautic has the cart; one that has changed meanwhile is announced once more."""
    cart.synced_at = cart.synced_at or now
    _keep_consent(session, now, cart)
    if is_current and cart.state == CartState.ABANDONED:
        cart.state = CartState.SYNCED
    tell(session, now, cart, f"Sent to Mautic, contact {cart.contact_id}.")
    if cart.state in OPEN:
        cart_succession.succeed(session, now, cart)
    elif cart.reason == NEWER.code:
        # It was on its way when it gave way: it has until the newer one has arrived, for that may never be sent.
        cart.state, cart.reason, cart.ended_at = CartState.SYNCED, "", None
    if cart.state == CartState.BOUGHT:
        # The order came while the cart was on its way: nobody may be reminded of it.
        tell(session, now, cart, "It was bought meanwhile, so Mautic is told at once.")
        outbox.accept(session, now, cart.connector_id, [change_of(cart_orders.record_of(cart), RECOVERED, now)])
