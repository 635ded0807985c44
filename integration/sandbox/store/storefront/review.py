"""What a cart costs, as tables of the classic pages: the totals, the review of the order, and the ways of paying."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from integration.sandbox.store import order_building
from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import sessions, templates
from integration.sandbox.store.storefront.carts import Cart
from integration.sandbox.store.storefront.totals import Totals

PLACE_NONCE = "woocommerce-process_checkout"
REVIEW, PAYMENT = ".woocommerce-checkout-review-order-table", ".woocommerce-checkout-payment"


def sums(state: State, made: Totals) -> list[tuple[str, str, Markup]]:
    """Return the sums of a cart: class, name and amount."""
    rows: list[tuple[str, str, Decimal]] = [("cart-subtotal", "Subtotal", made.items)]
    for code, (cut, _) in made.cuts.items():
        rows.append(("cart-discount", f"Coupon: {code}", -cut))
    rows += [("tax-total", made.rate.label, made.tax), ("order-total", "Total", made.total)]
    return [(kind, name, templates.price(state, value)) for kind, name, value in rows]


def totals_table(state: State, made: Totals) -> Markup:
    """Return the table of the cart's page."""
    shipping = templates.price(state, made.shipping.cost) if made.shipping else ""
    return templates.fill("totals.html", sums=sums(state, made), shipping=shipping)


def table(cart: Cart) -> Markup:
    """Return the review of the classic checkout (storefront:146)."""
    made = cart.totals
    lines = [
        (
            templates.name(order_building.line_name(cart.state, line.product)),
            line.item.quantity,
            templates.price(cart.state, line.subtotal),
        )
        for line in made.lines
    ]
    rates = [(each, templates.price(cart.state, each.cost)) for each in made.offers]
    chosen = made.shipping.id if made.shipping else ""
    return templates.fill("review.html", lines=lines, rates=rates, chosen=chosen, sums=sums(cart.state, made))


def payment(cart: Cart, home: str, method: str = "") -> Markup:
    """Return the part of the classic checkout with the ways of paying and the button."""
    free = cart.totals.total <= 0
    nonce = sessions.nonce(cart.state, action=PLACE_NONCE)
    chosen = method if method in GATEWAYS else next(iter(GATEWAYS))
    values = {"gateways": {} if free else GATEWAYS, "chosen": chosen, "nonce": nonce, "home": home}
    return templates.fill("payment.html", **values)


def fragments(cart: Cart, home: str, method: str) -> dict[str, str]:
    """Return what update_order_review puts in place: the review and the payment, by selector."""
    return {REVIEW: str(table(cart)), PAYMENT: str(payment(cart, home, method))}
