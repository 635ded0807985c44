"""Keeps what unfinished orders tell of carts, so that a shop without the script has its reminders too (P51, P52).

A draft follows the shopper's cart, one that waits for its payment is what was left at the last step. Drafts vanish
after a day without a word (storefront:134), so what was seen of them is kept. An order's date moves with every reload
of the checkout: only another address or other lines make another state of the cart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import MappingError
from integration.identity import person_key_of, visible
from integration.mapping.cart_orders import UNFINISHED
from integration.mapping.emails import EMAIL_MAX_CHARS, fit_email
from integration.mapping.orders import DRAFTS
from integration.models.cart import Cart, CartState
from integration.models.connector import Connector
from integration.pipeline.ingest.cart_keeping import (
    FIELD,
    ITEMS_MAX,
    LIVE,
    ORDER,
    ORDER_KEY,
    SCRIPT,
    SILENT,
    begin,
    drop_twin,
    fingerprint,
    forget_person,
    give_key_away,
    keep,
    tell,
)
from integration.pipeline.ingest.status_events import ahead_of
from integration.settings import CartModule
from integration.store.unfinished import OrderedItem, Unfinished, unfinished
from integration.streams.cart_payload import line_json

#: A cart of the script that was seen so long before an order of the same person was begun is that order's cart.
SAME_VISIT = timedelta(hours=1)


def take(
    session: Session, now: datetime, connector: Connector, module: CartModule, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep the carts among these orders of the store in the caller's transaction; what is no such order is passed by.

    What cannot be read of an order its own delivery says.
    """
    if not (module.captures and module.from_orders):
        return
    ahead = ahead_of(connector)
    for row in rows:
        with suppress(MappingError):
            order = unfinished(row)
            if order.status in UNFINISHED:
                _Taking(session, now, connector.id, module, ahead, order).take()


@dataclass
class _Taking:
    """One order on its way to its cart; `ahead` is how far the store's clock is ahead of ours."""

    session: Session
    now: datetime
    connector_id: int
    module: CartModule
    ahead: timedelta
    order: Unfinished

    def take(self) -> None:
        """Go on with the cart that the script has told of, or else with the order's own."""
        email = _usable(self.order.email)
        scripted = self._by_script(email)
        if scripted is not None:
            self._catch_up(scripted, email)
        elif (consent := self._consent()) is None:
            self._without_consent(email)
        else:
            self._keep(email, consent)

    def _by_script(self, email: str) -> Cart | None:
        """Return the script's cart whose order this is; one of the same visit that knows no order yet becomes it."""
        of_script = (Cart.connector_id == self.connector_id, Cart.source == SCRIPT, Cart.state.in_(LIVE))
        query = select(Cart).where(*of_script).order_by(Cart.id.desc()).limit(1).with_for_update()
        known = self.session.scalar(query.where(Cart.order_id == self.order.id))
        if known is not None or not email:
            return known
        began = self._ours(self.order.created_at) or self.now
        visit = (Cart.person_key == person_key_of(email), Cart.seen_at >= began - SAME_VISIT)
        found = self.session.scalar(query.where(Cart.order_id.is_(None), *visit))
        if found is not None:
            found.order_id = self.order.id
            drop_twin(self.session, self.now, self.connector_id, self.order.id)
        return found

    def _catch_up(self, cart: Cart, email: str) -> None:
        """Take what the shopper changed while the script could not tell it.

        The order serves only under a consent tied to it, and never brings back an address that the page has emptied:
        the checkout does not send that on (storefront.md, "Draft orders").
        """
        changed_at = self._ours(self.order.modified_at)
        if not self._is_tied(cart) or not cart.email or not email or not changed_at or changed_at <= cart.seen_at:
            return
        items = self._items()
        if (email, pieces(items)) != (cart.email, pieces(cart.items)):
            keep(self.session, self.now, cart, email, items, changed_at)

    def _is_tied(self, cart: Cart) -> bool:
        given = cart.consent
        return given is not None and (given["draft_id"] == self.order.id or bool(self._consent()))

    def _consent(self) -> dict[str, Any] | None:
        """Return the consent of the order itself, None without one (the matrix of P52).

        Who has pressed “place order” has agreed to buy, not to be reminded: an unpaid order needs a consent as a draft
        does. It may have been given for the cart that ended with the order, as the classic checkout has no draft.
        """
        given = {"at": self.now.isoformat(), "draft_id": self.order.id}
        if self.module.silent:
            return {"source": SILENT, "wording": "", **given}
        if self.order.ticked:
            return {"source": FIELD, "wording": self.module.box_text, **given}
        before = self._given_before()
        return None if before is None else {**before, "draft_id": self.order.id}

    def _given_before(self) -> dict[str, Any] | None:
        mine = (Cart.connector_id == self.connector_id, Cart.bought_order_id == self.order.id, Cart.source == SCRIPT)
        return self.session.scalar(select(Cart.consent).where(*mine).order_by(Cart.id.desc()).limit(1))

    def _without_consent(self, email: str) -> None:
        """Note that there was a cart of which nothing may be kept; one without an address may be a robot's."""
        cart = self._own()
        if cart is None and email:
            cart = self._begun()
            forget_person(self.session, self.now, cart)
        elif cart is not None and cart.state in LIVE and cart.state != CartState.NO_CONSENT:
            forget_person(self.session, self.now, cart)
            tell(self.session, self.now, cart, "The consent was taken back; the address was deleted.")

    def _keep(self, email: str, consent: dict[str, Any]) -> None:
        cart, items = self._own(), self._items()
        if cart is not None and self._second() < cart.sequence:
            return
        if cart is not None and cart.state not in LIVE:
            if cart.fingerprint == fingerprint(email, cart.items if items is None else items):
                return
            give_key_away(self.session, cart)
            cart = None
        if cart is None and not email:
            return
        cart = cart or self._begun()
        cart.sequence, cart.customer_id = self._second(), self.order.customer_id or None
        cart.page = self.order.page or cart.page
        if cart.consent is None or cart.consent["source"] != consent["source"]:
            cart.consent = consent
        if keep(self.session, self.now, cart, email, items, self._ours(self.order.modified_at)):
            cart.currency = self.order.currency

    def _own(self) -> Cart | None:
        mine = (Cart.connector_id == self.connector_id, Cart.key == ORDER_KEY.format(self.order.id))
        return self.session.scalar(select(Cart).where(*mine).with_for_update())

    def _begun(self) -> Cart:
        """Return a new cart as old as its order: what was bought since the checkout was opened came after it."""
        since = self._ours(self.order.created_at)
        cart = begin(
            self.session, self.now, self.connector_id, ORDER_KEY.format(self.order.id), ORDER, since or self.now
        )
        cart.order_id = self.order.id
        return cart

    def _items(self) -> list[dict[str, Any]] | None:
        if self.order.items is None:
            return None
        agreed = self.order.status not in DRAFTS
        return [_item(each, agreed=agreed) for each in self.order.items[:ITEMS_MAX]]

    def _ours(self, moment: datetime | None) -> datetime | None:
        """Return a moment of the store's clock by ours. The date of a change is the latest that it can have been."""
        return None if moment is None else min(moment - self.ahead, self.now)

    def _second(self) -> int:
        return int(self.order.modified_at.timestamp()) if self.order.modified_at else 0


def _item(item: OrderedItem, *, agreed: bool) -> dict[str, Any]:
    kept = {"id": item.id, "qty": float(item.quantity), "variation": [list(pair) for pair in item.choices]}
    return kept | ({"line": line_json(item.line)} if agreed else {})


def pieces(items: Sequence[Mapping[str, Any]] | None) -> list[tuple[int, float]] | None:
    """Return what lies in a cart, without the choices, which the page and the order write differently."""
    return None if items is None else sorted((int(each["id"]), float(each["qty"])) for each in items)


def _usable(email: str) -> str:
    """Return an address that Mautic would take, "" for any other."""
    address = visible(email)
    if len(address) > EMAIL_MAX_CHARS:
        return ""
    try:
        fit_email(address, None)
    except MappingError:
        return ""
    return address
