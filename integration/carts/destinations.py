"""Where a recovery link leads, found at the click: what brings a cart back differs from shop to shop (P59).

Script in the shop's pages -> its checkout, where the script puts everything back. WooCommerce from 10 on -> a cart that
we fill and hand over. Else one item by an address that adds it. Else the shop (storefront.md, "What follows for us").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from slugify import slugify

from integration.carts.restoring import FRAGMENT, add_items, code_of
from integration.mapping.cart_orders import CAMPAIGN
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.pipeline.ingest.cart_keeping import SCRIPT
from integration.pipeline.services import Services
from integration.settings import CartModule
from integration.settings.carts import OPEN
from integration.store.access import home
from integration.store.guest_carts import GuestCart

#: WooCommerce's own pages; a shop that renames them has them elsewhere.
CHECKOUT, CART, SHOP = "/checkout/", "/cart/", "/shop/"
Query = Mapping[str, object]
#: A shopper waits no longer for what the store has to be asked.
STORE_WITHIN_S = 3.0
#: Since this WooCommerce ?session= is known (storefront:122; unknown to 9.9.5, storefront:137).
_SESSIONS_SINCE = 10


def shop_page(connector: Connector, cart: Cart) -> str:
    """Return the shop's page: where there is nothing to bring back."""
    return _address(connector, SHOP, _traced(cart))


def checkout_page(connector: Connector, cart: Cart) -> str:
    """Return the checkout as a link of ours leads to it: its order then tells of the cart (storefront:143)."""
    return _at_checkout(connector, cart, _traced(cart))


def destination(services: Services, now: datetime, connector: Connector, cart: Cart) -> str:
    """Return where the link of a cart leads: always a page of the connector's own store."""
    module = services.modules(connector).carts
    if not cart.items:
        return shop_page(connector, cart)
    if cart.source == SCRIPT and module.captures:
        code = code_of(services.deployment.secret_key, now, cart.id)
        return f"{checkout_page(connector, cart)}#{FRAGMENT}={code}"
    if _takes_sessions(connector):
        return _handed_over(services, connector, module, cart)
    return _by_address(connector, cart)


def _takes_sessions(connector: Connector) -> bool:
    major = str(connector.store_facts.get("version") or "").partition(".")[0]
    return major.isdigit() and int(major) >= _SESSIONS_SINCE


def _handed_over(services: Services, connector: Connector, module: CartModule, cart: Cart) -> str:
    """Return the checkout with a cart that is filled now; a coupon bound to an address does not come along."""
    access = services.store_access(connector, {})
    route, observer = services.route(connector, access.ca), services.observers(connector)
    coupon = cart.coupon_code if module.coupon_use == OPEN else ""
    token = GuestCart(access, route, observer, STORE_WITHIN_S).fill(add_items(cart), coupon)
    return _at_checkout(connector, cart, {"session": token, **_traced(cart)}) if token else shop_page(connector, cart)


def _by_address(connector: Connector, cart: Cart) -> str:
    """Return the address that adds the first item: at the checkout when it is all, else at the cart.

    An address adds one item; at the cart's page the shopper sees that the others are not there (storefront:083,
    storefront:084).
    """
    first, *more = add_items(cart)
    chosen = {name: value for pair in first.get("variation", ()) for name, value in _chosen(**pair).items()}
    query = {"add-to-cart": first["id"], "quantity": first["quantity"], **chosen, **_traced(cart)}
    return _address(connector, CART, query) if more else _at_checkout(connector, cart, query)


def _chosen(attribute: str, value: str) -> dict[str, str]:
    """Return a choice as addresses have it: by the product's own attribute, and by one of the whole shop.

    Which of the two it is the shop's page did not tell; a name that the product lacks counts for nothing.
    """
    name = slugify(attribute)
    return {f"attribute_{name}": value, f"attribute_pa_{name}": slugify(value)}


def _traced(cart: Cart) -> dict[str, str]:
    return {"utm_source": "mautic", "utm_medium": "email", "utm_campaign": CAMPAIGN.format(cart.id)}


def _at_checkout(connector: Connector, cart: Cart, query: Query) -> str:
    """Return an address of the checkout that the cart was left at, of WooCommerce's own where that is not known."""
    if not cart.page:
        return _address(connector, CHECKOUT, query)
    parts = urlsplit(home(connector.store_url))
    return f"{parts.scheme}://{parts.netloc}{cart.page}?{urlencode(query)}"


def _address(connector: Connector, path: str, query: Query) -> str:
    return f"{home(connector.store_url)}{path}?{urlencode(query)}"
