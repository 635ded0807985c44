"""Takes away what carts have left behind: from contacts who have a cart no more, and coupons from the store.

Both go within the minute. What the store does not delete now it is asked for again a day later, with the other coupons
(carts.cleanup); after a month it is let go of, for coupons expire by themselves.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from integration.errors import ServiceError
from integration.models.cart import OPEN, Cart
from integration.models.cart_leftover import CartLeftover
from integration.models.connector import Connector, ConnectorState
from integration.models.database import lock_connector
from integration.pipeline import outbox
from integration.pipeline.connectors import holds
from integration.pipeline.ingest import account_addresses
from integration.pipeline.ingest.cart_keeping import tell
from integration.pipeline.services import Services
from integration.store import coupons as store
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.streams.carts import moved

log = logging.getLogger(__name__)

EVERY_S = 15
#: So many leftovers of a shop are taken at once: as many coupons as fit into one call.
BATCH_MAX = store.BATCH_MAX
#: When the store is asked again for what it has not deleted, and how long it is tried.
AGAIN, GIVE_UP = timedelta(days=1), timedelta(days=30)


def tick(services: Services) -> int:
    """Take away what is due in all active shops and return how much was."""
    due = select(CartLeftover.connector_id).where(CartLeftover.due_at <= services.clock.now())
    active = (Connector.state == ConnectorState.ACTIVE, Connector.id.in_(due))
    with services.db.read() as session:
        connectors = list(session.scalars(select(Connector).where(*active).order_by(Connector.id)))
    return sum(take_back(services, each) + _delete_due(services, each) for each in connectors)


def take_back(services: Services, connector: Connector) -> int:
    """Owe Mautic that former contacts lose their carts, and return for how many that is settled.

    Whose contact has another cart by now keeps that; while one is on its way it is waited for.
    """
    now, settled = services.clock.now(), 0
    with services.db.write() as session:
        lock_connector(session, connector.id)
        rows = session.scalars(_due(connector, now).where(CartLeftover.person_key != "")).all()
        going_on = _going_on(session, connector.id, {row.person_key for row in rows})
        for row in rows:
            carts = going_on.get(row.person_key, [])
            if carts and not any(cart.contact_id for cart in carts):
                continue
            _settle(session, now, row, has_another=bool(carts))
            settled += 1
        if settled:
            services.on_accept(session, connector.id)
    if settled:
        services.wakeup.ring(connector.id)
    return settled


def _due(connector: Connector, now: datetime) -> Select[tuple[CartLeftover]]:
    mine = (CartLeftover.connector_id == connector.id, CartLeftover.due_at <= now)
    return (
        select(CartLeftover).where(*mine).order_by(CartLeftover.id).limit(BATCH_MAX).with_for_update(skip_locked=True)
    )


def _going_on(session: Session, connector_id: int, people: Collection[str]) -> Mapping[str, list[Cart]]:
    """Return the carts of some people that Mautic has or is about to have."""
    mine = (Cart.connector_id == connector_id, Cart.person_key.in_(people), Cart.state.in_(OPEN))
    found: dict[str, list[Cart]] = defaultdict(list)
    theirs = or_(Cart.prepared_at.is_not(None), Cart.contact_id.is_not(None))
    for cart in session.scalars(select(Cart).where(*mine, theirs)) if people else ():
        found[cart.person_key].append(cart)
    return found


def _settle(session: Session, now: datetime, row: CartLeftover, *, has_another: bool) -> None:
    cart = session.get(Cart, row.cart_id)
    if not has_another:
        # The contact of an account that has another address since is known by that one.
        change = moved(row.cart_id, row.person_key, now)
        changes = account_addresses.with_current_keys(session, row.connector_id, [change])
        outbox.accept(session, now, row.connector_id, changes)
    elif cart is not None:
        tell(session, now, cart, "The former contact has another cart in Mautic by now, which stays.")
    session.delete(row)


def delete_coupons(services: Services, connector: Connector, cart_id: int) -> bool:
    """Delete at once the coupon that a forgotten cart has left; return False where the store still may have it.

    What cannot be deleted now goes when the store can be asked again.
    """
    _delete_due(services, connector, cart_id)
    with services.db.read() as session:
        left = (CartLeftover.cart_id == cart_id, CartLeftover.coupon_code != "")
        return session.scalar(select(CartLeftover.id).where(*left).limit(1)) is None


def _delete_due(services: Services, connector: Connector, cart_id: int | None = None) -> int:
    """Delete the coupons that are due, or those of one cart; return how many are settled."""
    with services.db.read() as session:
        if holds.current(session, connector.id, SERVICE) is not None:
            return 0
    rows = _claim(services, connector, cart_id)
    if not rows:
        return 0
    try:
        client = services.open_store(connector, obeys=True)
        settled = _gone(client, _with_ids(client, rows))
    except ServiceError as error:
        log.info("Coupons of connector %d that carts have left are deleted later: %s", connector.id, error)
        return 0
    with services.db.write() as session:
        session.execute(delete(CartLeftover).where(CartLeftover.id.in_(settled)))
    return len(settled)


def _claim(services: Services, connector: Connector, cart_id: int | None) -> list[CartLeftover]:
    """Take what is due; whatever happens to it, its next time is a day later. What is too old is let go of."""
    now = services.clock.now()
    with services.db.write() as session:
        query = _due(connector, now).where(CartLeftover.coupon_code != "")
        rows = session.scalars(query if cart_id is None else query.where(CartLeftover.cart_id == cart_id)).all()
        for row in rows:
            row.due_at = now + AGAIN
            if row.noted_at < now - GIVE_UP:
                log.warning("The coupon %s of cart %d could not be deleted in the store.", row.coupon_code, row.cart_id)
                session.delete(row)
        session.flush()
        session.expunge_all()
    return [row for row in rows if row.noted_at >= now - GIVE_UP]


def _with_ids(client: StoreClient, rows: Sequence[CartLeftover]) -> dict[int, int | None]:
    """Return leftover -> coupon, None where the store never made one."""
    return {row.id: row.coupon_id or store.id_of(client, row.coupon_code) for row in rows}


def _gone(client: StoreClient, coupons: Mapping[int, int | None]) -> list[int]:
    """Return the leftovers whose coupon the store has no more, or that an order has used: that one is the order's."""
    cleared = store.delete_unused(client, [coupon for coupon in coupons.values() if coupon is not None])
    return [number for number, coupon in coupons.items() if coupon not in cleared.kept]
