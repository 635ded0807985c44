"""The pay page of a cart whose order still waits for its payment, as the store says at the click (P59).

The page shows what was ordered to whoever has its address, so it is given only where the order is of the person whose
cart it is. Ten minutes after the order it asks for the e-mail address or a login, and it takes no coupon
(storefront:130, storefront:139).
"""

from __future__ import annotations

from integration.identity import person_key_of, visible
from integration.models.cart import Cart
from integration.pipeline.connectors.shop_origins import Origin, origin_of
from integration.pipeline.ingest.cart_keeping import ORDER
from integration.pipeline.ingest.order_carts import pieces
from integration.store.client import StoreClient
from integration.store.payable import read_payable
from integration.store.unfinished import Unfinished


def order_of(cart: Cart) -> int:
    """Return the order by which a cart was bought, else the one that it was left as; 0 without one."""
    return cart.bought_order_id or cart.order_id or 0


def pay_page(client: StoreClient, cart: Cart, shop: set[Origin]) -> str:
    """Return where the order of a cart is paid, "" when it is not to be paid there. Raises ServiceError.

    `shop` are the origins of the cart's shop: nobody is led elsewhere.
    """
    found = read_payable(client, order_of(cart))
    if found is None or origin_of(found.url) not in shop:
        return ""
    return found.url if _is_theirs(cart, found.order) and _is_the_cart(cart, found.order) else ""


def _is_theirs(cart: Cart, order: Unfinished) -> bool:
    return bool(cart.person_key and visible(order.email)) and cart.person_key == person_key_of(order.email)


def _is_the_cart(cart: Cart, order: Unfinished) -> bool:
    """Tell whether paying the order buys the cart: who went on shopping after a failed payment has another one.

    A cart that was bought, or of which the order alone tells, is its order whatever was changed in that.
    """
    if cart.bought_order_id is not None or cart.source == ORDER or cart.items is None:
        return True
    return pieces(cart.items) == sorted((item.id, float(item.quantity)) for item in order.items or ())
