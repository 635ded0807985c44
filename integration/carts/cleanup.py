"""Takes coupons of carts out of the store again that nobody can or need use: many, and they name people (P61)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from integration.carts.announcement import entry_of
from integration.carts.recovery import kept_since
from integration.models.cart import Cart, CartState
from integration.models.connector import Connector
from integration.pipeline.ingest.cart_keeping import tell
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log
from integration.store import coupons as store
from integration.store.coupons import BATCH_MAX, Cleared
from integration.streams.carts import NEWER

#: What the sync log calls the deletion of a coupon (P84).
DELETE_COUPON = "delete_coupon"
_BOUGHT = (CartState.BOUGHT, CartState.RECOVERED)
#: In these states nobody is reminded any more, so that a coupon lies there for nothing.
_OVER = (*_BOUGHT, CartState.NO_CONSENT)
#: So it is where the person is reminded of a newer cart, with a coupon of its own.
_GAVE_WAY = and_(Cart.state == CartState.EXPIRED, Cart.reason == NEWER.code)


def delete_coupons(services: Services, connector: Connector) -> int:
    """Delete the coupons of expired, bought and old carts in the store and return how many carts have none now.

    A coupon that an order has used belongs to that order and stays. Two calls for a hundred coupons, none without any.
    Raises ServiceError when the store does not answer; what is not deleted by then is so the next time.
    """
    now, done, last = services.clock.now(), 0, 0
    client = services.open_store(connector, obeys=True)
    while batch := _due(services, connector, now, last):
        cleared = store.delete_unused(client, batch.values())
        _forget(services, now, batch, cleared)
        done, last = done + sum(coupon not in cleared.kept for coupon in batch.values()), max(batch)
    return done


def _due(services: Services, connector: Connector, now: datetime, last: int) -> dict[int, int]:
    """Return cart -> coupon of the next that are to go."""
    with services.db.read() as session:
        query = select(Cart.id, Cart.coupon_id).where(_is_over(services, connector, now), Cart.id > last)
        rows = session.execute(query.order_by(Cart.id).limit(BATCH_MAX))
        return {number: coupon for number, coupon in rows if coupon is not None}


def _is_over(services: Services, connector: Connector, now: datetime) -> ColumnElement[bool]:
    since = kept_since(services.modules(connector).carts, now)
    over = or_(Cart.coupon_until < now, Cart.state.in_(_OVER), _GAVE_WAY, Cart.touched_at < since)
    return and_(Cart.connector_id == connector.id, Cart.coupon_id.is_not(None), over)


def _forget(services: Services, now: datetime, batch: Mapping[int, int], cleared: Cleared) -> None:
    """Note with the carts what is gone; the code of one that may be announced again is not used a second time."""
    with services.db.write() as session:
        for cart in session.scalars(select(Cart).where(Cart.id.in_(batch))):
            # Meanwhile the cart may have been given another coupon.
            if cart.coupon_id != batch[cart.id] or cart.coupon_id in cleared.kept:
                continue
            if cart.coupon_id in cleared.gone:
                said = f"The coupon {cart.coupon_code} is no longer in the store."
                tell(session, now, cart, said)
                sync_log.record(session, [entry_of(cart, now, DELETE_COUPON, said)])
            cart.coupon_id, cart.coupon_until = None, None
            cart.coupon_code = cart.coupon_code if cart.state in _BOUGHT else ""
