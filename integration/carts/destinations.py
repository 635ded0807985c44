"""Where a recovery link leads, found at the click: what brings a cart back differs from shop to shop (P59).

An order that waits for its payment -> its pay page. Script in the shop's pages -> its checkout, where the script puts
everything back. WooCommerce from 10 on -> a cart that we fill and hand over, else an address that puts the items in.
Older -> one item by an address that adds it. Else the shop (storefront.md, "What follows for us"). A way that fails at
the store is passed by for the next one, all within the time that a shopper waits; the cart's story tells why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from integration.carts import addresses, recovery, unpaid
from integration.carts.restoring import FRAGMENT, add_items, code_of
from integration.errors import IntegrationError
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.pipeline.connectors import holds
from integration.pipeline.connectors.shop_origins import blocks_script, homes
from integration.pipeline.ingest.cart_keeping import SCRIPT
from integration.pipeline.services import Services
from integration.settings.carts import OPEN
from integration.store.access import SERVICE
from integration.store.guest_carts import GuestCart, OutOfTime

#: A shopper waits no longer for what the store has to be asked, however many ways are tried.
STORE_WITHIN_S = 5.0
#: Since this WooCommerce ?session= and /checkout-link/ are known (storefront:112, storefront:122; unknown to 9.9.5,
#: storefront:081, storefront:137).
_SESSIONS_SINCE = 10


@dataclass(frozen=True, slots=True)
class Visit:
    """One click: a person's or a program's, and whether this browser has got the cart's item added before."""

    now: datetime
    is_person: bool = True
    has_added: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """A page of the connector's own store; `adds` says that opening it again would add its item again.

    It may hold the key of an order or of a session, so it is told to who clicked and kept nowhere.
    """

    url: str
    adds: bool = False


def destination(services: Services, visit: Visit, connector: Connector, cart: Cart) -> Destination:
    """Return where the link of a cart leads."""
    ways = _Ways(services, visit, connector, cart)
    return ways.first(ways.pay, ways.script, ways.filled, ways.link, ways.adding)


def payment(services: Services, visit: Visit, connector: Connector, cart: Cart) -> Destination | None:
    """Return where a cart's order is paid, None when it is not to be paid: to bring it back would buy it twice."""
    ways = _Ways(services, visit, connector, cart)
    return ways.tried(ways.pay)


class _Ways:
    """The ways of one click; each returns None where it does not lead to the cart in this shop."""

    def __init__(self, services: Services, visit: Visit, connector: Connector, cart: Cart) -> None:
        self._services, self._visit, self._connector, self._cart = services, visit, connector, cart
        self._module = services.modules(connector).carts
        self._ends = time.monotonic() + STORE_WITHIN_S

    def first(self, *ways: Callable[[], Destination | None]) -> Destination:
        """Return where the first way leads that does, the shop's page where none does."""
        found = (self.tried(way) for way in ways)
        return next((each for each in found if each is not None), self._shop())

    def tried(self, way: Callable[[], Destination | None]) -> Destination | None:
        """Return where a way leads; one that fails at the store leads nowhere, which the cart's story tells."""
        try:
            return way()
        except (IntegrationError, OutOfTime) as error:
            with self._services.db.write() as session:
                recovery.note_missed(session, self._visit.now, self._cart.id, str(error))
            return None

    def pay(self) -> Destination | None:
        """Lead to the pay page of the cart's order; half of the time is left for another way."""
        if not (self._visit.is_person and unpaid.order_of(self._cart)) or self._is_held:
            return None
        client = self._services.open_store(self._connector, obeys=True, within_s=self._left / 2)
        url = unpaid.pay_page(client, self._cart, homes(self._connector))
        return Destination(addresses.traced(url, self._cart)) if url else None

    def script(self) -> Destination | None:
        """Lead to the checkout with a code for the script, which puts everything back in place of what is there."""
        blocked = blocks_script(self._connector, self._services.base_url)
        if not self._cart.items or self._cart.source != SCRIPT or not self._module.captures or blocked:
            return None
        code = code_of(self._services.deployment.secret_key, self._visit.now, self._cart.id)
        return Destination(f"{addresses.checkout_page(self._connector, self._cart)}#{FRAGMENT}={code}")

    def filled(self) -> Destination | None:
        """Lead to the checkout with a cart that is filled now; a coupon bound to an address does not come along.

        Where the store has nothing left of the cart no other way would bring it back.
        """
        if not (self._cart.items and self._takes_sessions) or self._is_held:
            return None
        access = self._services.store_access(self._connector, {})
        route, observer = self._services.route(self._connector, access.ca), self._services.observers(self._connector)
        gate = self._services.gate(self._connector, SERVICE, obeys=True)
        token = GuestCart(access, route, observer, self._left, gate).fill(add_items(self._cart), self._coupon)
        if not token:
            return self._shop()
        return Destination(addresses.checkout_page(self._connector, self._cart, {"session": token}))

    def link(self) -> Destination | None:
        """Lead to WooCommerce 10's own link of a checkout, for which the store has not to be asked."""
        url = addresses.checkout_link(self._connector, self._cart, self._coupon) if self._takes_sessions else ""
        return Destination(url) if url else None

    def adding(self) -> Destination | None:
        """Lead to the address that adds the first item, or to the page behind it: once is enough.

        Nothing is added for who is no person: a browser that looks ahead would add it for its user.
        """
        if not self._cart.items:
            return None
        if self._visit.has_added or not self._visit.is_person:
            return Destination(addresses.added(self._connector, self._cart))
        return Destination(addresses.adding(self._connector, self._cart), adds=True)

    def _shop(self) -> Destination:
        return Destination(addresses.shop_page(self._connector, self._cart))

    @property
    def _coupon(self) -> str:
        """Return the code that comes along, "" where it is bound or over."""
        lasts = self._cart.coupon_until is None or self._cart.coupon_until > self._visit.now
        return self._cart.coupon_code if self._module.coupon_use == OPEN and lasts else ""

    @property
    def _takes_sessions(self) -> bool:
        major = str(self._connector.store_facts.get("version") or "").partition(".")[0]
        return major.isdigit() and int(major) >= _SESSIONS_SINCE

    @property
    def _left(self) -> float:
        """Return the seconds that are left; raises OutOfTime without any."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return left

    @cached_property
    def _is_held(self) -> bool:
        """Tell whether work with the store waits: it is not asked then, and nobody waits for it in vain."""
        with self._services.db.read() as session:
            return holds.current(session, self._connector.id, SERVICE) is not None
