"""Makes left carts ready and owes them to Mautic: prices, coupon and link first, so that all goes out in one write.

A batch costs the store a few calls, however many carts are in it. A cart belongs to whoever has moved its `due_at`;
what a killed process had taken is free again after LEASE.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration.carts import coupons, pricing
from integration.carts.announcement import Announcement, write
from integration.carts.coupons import Desk
from integration.carts.detection import end, watched
from integration.carts.pricing import Priced
from integration.errors import AuthRejected, IntegrationError, NotSetUp, Rejected, ServerFault, ServiceError
from integration.models.cart import UNPREPARED_SQL, Cart
from integration.models.connector import Connector
from integration.pipeline.connectors import holds, schedule_times, store_profile
from integration.pipeline.delivery import retries
from integration.pipeline.ingest import cart_succession
from integration.pipeline.leases import endings
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.services import Services
from integration.settings import CartModule
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.store.products import read_products

log = logging.getLogger(__name__)

EVERY_S = 15
#: So many carts, with so many different products, are made ready together.
BATCH_CARTS, BATCH_PRODUCTS = 100, 500
#: Longer than the calls of a batch take; a cart is then anybody's again.
LEASE = timedelta(minutes=10)
#: So many shops are asked at the same time, and so many batches of each in one tick.
SHOPS_AT_ONCE, ROUNDS_MAX = 4, 20
#: After so many tries carts go out without the prices that a faulty store does not tell.
PRICELESS_AFTER = 4
#: A cart that nobody is to blame for but itself is tried so often.
TRIES_MAX = 4


def tick(services: Services) -> int:
    """Make ready what is due in all shops and return how many carts were; shops do not wait for one another."""
    connectors = watched(services)
    if not connectors:
        return 0
    with ThreadPoolExecutor(SHOPS_AT_ONCE, thread_name_prefix="carts") as pool:
        return sum(pool.map(lambda connector: _of_connector(services, connector), connectors))


def _of_connector(services: Services, connector: Connector) -> int:
    ready = 0
    for _ in range(ROUNDS_MAX):
        count = prepare(services, connector)
        ready += count
        if not count:
            break
    return ready


def prepare(services: Services, connector: Connector, chance: random.Random | None = None) -> int:
    """Make one batch ready and return how many carts it had; 0 while the store is held, for then they wait."""
    module = services.modules(connector).carts
    with services.db.read() as session:
        if holds.current(session, connector.id, SERVICE) is not None:
            return 0
    carts = _claim(services, connector, module)
    if carts:
        _Preparing(services, connector, module, chance or random.Random()).do(carts)
    return len(carts)


def _claim(services: Services, connector: Connector, module: CartModule) -> list[Cart]:
    """Take the carts that are due, each with the code of its coupon; of one person the newest goes first."""
    now = services.clock.now()
    due = (Cart.connector_id == connector.id, UNPREPARED_SQL, Cart.due_at <= now, Cart.announce_until > now)
    query = select(Cart).where(*due, ~cart_succession.waits()).order_by(Cart.due_at, Cart.id).limit(BATCH_CARTS)
    with services.db.write() as session:
        carts = _fitting(session.scalars(query.with_for_update(skip_locked=True)).all())
        for cart in carts:
            cart.due_at, cart.tries = now + LEASE, cart.tries + 1
            if coupons.may_get_one(module, cart):
                cart.coupon_code = coupons.new_code()
        session.flush()
        session.expunge_all()
    return carts


def _fitting(carts: Sequence[Cart]) -> list[Cart]:
    """Return the first carts that have not too many different products together, one at least."""
    seen: set[int] = set()
    for number, cart in enumerate(carts):
        seen |= pricing.wanted([cart.items])
        if number and len(seen) > BATCH_PRODUCTS:
            return list(carts[:number])
    return list(carts)


class _Preparing:
    """Makes the carts of one batch ready."""

    def __init__(self, services: Services, connector: Connector, module: CartModule, chance: random.Random) -> None:
        self._services, self._connector, self._module, self._chance = services, connector, module, chance
        self._facts = connector.store_facts
        self._currency = str(self._facts.get("currency") or "")
        self._client: StoreClient = services.open_store(connector, new_token(), obeys=True)

    def do(self, carts: Sequence[Cart]) -> None:
        """Make carts ready; what fails for one of them alone keeps no other from being announced."""
        try:
            self._announce(carts)
        except ServiceError as error:
            self._put_back(carts, error)
        except Exception as error:
            if len(carts) > 1:
                self.do(carts[: len(carts) // 2])
                self.do(carts[len(carts) // 2 :])
                return
            self._fail(carts[0], error)

    def _announce(self, carts: Sequence[Cart]) -> None:
        prices = self._prices(carts)
        gone = {number: "products_gone" for number, priced in prices.items() if priced.gone}
        left = [cart for cart in carts if cart.id not in gone]
        totals = {cart.id: prices[cart.id].total if prices[cart.id].lines else None for cart in left}
        desk = Desk(
            self._client,
            self._module,
            self._services.clock.now(),
            schedule_times.zone_of(self._connector),
            next((each.currency for each in prices.values() if each.currency), self._currency),
            totals,
            self._keep_codes,
        )
        issued = desk.issue(left)
        ready = [Announcement(cart, prices[cart.id], issued[cart.id]) for cart in left]
        write(self._services, self._connector, ready, gone)

    def _prices(self, carts: Sequence[Cart]) -> dict[int, Priced]:
        """Return what the carts hold; without names and prices where the store answers but does not tell them."""
        try:
            found = read_products(self._client, pricing.wanted([cart.items for cart in carts]))
        except (Rejected, AuthRejected, NotSetUp, ServerFault) as error:
            tried = all(cart.tries >= PRICELESS_AFTER for cart in carts)
            if not tried and not isinstance(error, Rejected) and error.code not in ("no_rights", "rest_disabled"):
                raise
            said = f"It has no names and prices: {error}"
            return {cart.id: Priced(currency=self._currency, said=(said,)) for cart in carts}
        decimals = store_profile.shop(self._facts).decimals
        return {cart.id: pricing.priced(cart.items, found, cart.currency or self._currency, decimals) for cart in carts}

    def _keep_codes(self, carts: Sequence[Cart]) -> None:
        with self._services.db.write() as session:
            for cart in carts:
                values = {"coupon_code": cart.coupon_code, "coupon_id": None, "coupon_until": None}
                session.execute(update(Cart).where(Cart.id == cart.id, Cart.due_at == cart.due_at).values(**values))

    def _put_back(self, carts: Sequence[Cart], error: IntegrationError) -> None:
        """Let the carts wait, the longer the oftener it failed; a store that is gone is held by its breaker."""
        log.info("Carts of connector %d could not be made ready: %s", self._connector.id, error)
        now = self._services.clock.now()
        with self._services.db.write() as session:
            for cart in carts:
                _release(session, cart, now + retries.pause(cart.tries, self._chance), str(error))

    def _fail(self, cart: Cart, error: Exception) -> None:
        """Try a cart again whose trouble is its own, or the database's; in the end it is let go of."""
        log.exception("Cart %d could not be made ready.", cart.id)
        cause = endings.cause_of(error, "Making the cart ready")
        if cart.tries < TRIES_MAX:
            return self._put_back([cart], cause)
        with self._services.db.write() as session:
            _release(session, cart, None, str(cause))
            end(session, self._services.clock.now(), {cart.id: "failed"})


def _release(session: Session, cart: Cart, due_at: datetime | None, problem: str) -> None:
    mine = (Cart.id == cart.id, Cart.due_at == cart.due_at, Cart.prepared_at.is_(None))
    session.execute(update(Cart).where(*mine).values(due_at=due_at, problem=problem))
