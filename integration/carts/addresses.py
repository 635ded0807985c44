"""Addresses in a shop that a recovery link leads to: its pages, and those that put something into the cart."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from slugify import slugify

from integration.carts.restoring import add_items
from integration.mapping.cart_orders import CAMPAIGN
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.store.access import home

#: WooCommerce's own pages; a shop that renames them has them elsewhere. The last is no page, and never renamed.
CHECKOUT, CART, SHOP, LINK = "/checkout/", "/cart/", "/shop/", "/checkout-link/"
Query = Mapping[str, object]


def shop_page(connector: Connector, cart: Cart) -> str:
    """Return the shop's page: where there is nothing to bring back."""
    return _address(connector, SHOP, _traces(cart))


def checkout_page(connector: Connector, cart: Cart, query: Query | None = None) -> str:
    """Return the checkout that the cart was left at, of WooCommerce's own where that is not known.

    Its order then tells of the cart (storefront:143).
    """
    given = {**(query or {}), **_traces(cart)}
    if not cart.page:
        return _address(connector, CHECKOUT, given)
    parts = urlsplit(home(connector.store_url))
    return f"{parts.scheme}://{parts.netloc}{cart.page}?{urlencode(given)}"


def traced(url: str, cart: Cart) -> str:
    """Return an address of the shop that tells its statistics of the cart too."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(_traces(cart)))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def checkout_link(connector: Connector, cart: Cart, coupon: str) -> str:
    """Return WooCommerce 10's own address that puts the items in place of what is there (storefront:112, 121).

    "" where it would lead nowhere: it carries no choices (storefront:115) and no parts of pieces. Of several items it
    brings those that need none, and the shop says which are missing (storefront:116).
    """
    items = add_items(cart)
    pieces: dict[int, int] = {}
    for item in items:
        # Of one product twice the last would hold (storefront:120).
        pieces[item["id"]] = pieces.get(item["id"], 0) + item["quantity"]
    if not items or any(isinstance(count, float) for count in pieces.values()):
        return ""
    if len(items) == 1 and "variation" in items[0]:
        return ""
    products = ",".join(f"{number}:{count}" for number, count in pieces.items())
    return _address(
        connector, LINK, {"products": products, **({"coupon": coupon} if coupon else {}), **_traces(cart)}, safe=":,"
    )


def adding(connector: Connector, cart: Cart) -> str:
    """Return the address that adds the first item: at the checkout when it is all, else at the cart.

    An address adds one item; at the cart's page the shopper sees that the others are not there (storefront:083,
    storefront:084). Opened twice it adds twice (storefront:091).
    """
    first = add_items(cart)[0]
    chosen = {name: value for pair in first.get("variation", ()) for name, value in _chosen(**pair).items()}
    return _after_adding(connector, cart, {"add-to-cart": first["id"], "quantity": first["quantity"], **chosen})


def added(connector: Connector, cart: Cart) -> str:
    """Return the page that `adding` leads to, without adding anything."""
    return _after_adding(connector, cart, {})


def _after_adding(connector: Connector, cart: Cart, query: Query) -> str:
    if len(cart.items or ()) > 1:
        return _address(connector, CART, {**query, **_traces(cart)})
    return checkout_page(connector, cart, query)


def _chosen(attribute: str, value: str) -> dict[str, str]:
    """Return a choice as addresses have it: by the product's own attribute, and by one of the whole shop.

    Which of the two it is the shop's page did not tell; a name that the product lacks counts for nothing.
    """
    name = slugify(attribute)
    return {f"attribute_{name}": value, f"attribute_pa_{name}": slugify(value)}


def _traces(cart: Cart) -> dict[str, str]:
    return {"utm_source": "mautic", "utm_medium": "email", "utm_campaign": CAMPAIGN.format(cart.id)}


def _address(connector: Connector, path: str, query: Query, safe: str = "") -> str:
    return f"{home(connector.store_url)}{path}?{urlencode(query, safe=safe)}"
