"""The page of the classic checkout: all its fields are in the HTML, and no draft is made (storefront:145, 149)."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store.http_messages import ApiAnswer
from integration.sandbox.store.storefront import review, scripts, sessions
from integration.sandbox.store.storefront.rendering import Sheet, page, redirect
from integration.sandbox.store.storefront.scenes import Scene
from integration.sandbox.store.system import COUNTRIES

SHEET = Sheet(
    "checkout_classic.html",
    "Checkout classic – {shop}",
    "Checkout",
    200,
    11,
    "woocommerce-checkout woocommerce-page",
    is_fresh=False,
    is_framed=True,
)
# Name, label, class of the row, type of the input, what browsers fill in; those of an address ask for the review.
ADDRESS = "address-field update_totals_on_change"
FIELDS = (
    ("first_name", "First name", "form-row-first", "text", "given-name"),
    ("last_name", "Last name", "form-row-last", "text", "family-name"),
    ("company", "Company name", "form-row-wide", "text", "organization"),
    ("country", "Country / Region", f"form-row-wide {ADDRESS}", "select", "country"),
    ("address_1", "Street address", "form-row-wide address-field", "text", "address-line1"),
    ("postcode", "Postcode / ZIP", "form-row-wide address-field", "text", "postal-code"),
    ("city", "Town / City", "form-row-wide address-field", "text", "address-level2"),
    ("state", "Province", "form-row-wide address-field", "text", "address-level1"),
    ("phone", "Phone", "form-row-wide", "tel", "tel"),
    ("email", "Email address", "form-row-wide", "email", "email"),
)
OPTIONAL = ("company", "phone", "state")
UPDATE, APPLY, REMOVE = "update-order-review", "apply-coupon", "remove-coupon"


def show(scene: Scene) -> ApiAnswer:
    """Return the page; with an empty cart the way to the cart."""
    if scene.cart.is_empty:
        return redirect(scene, f"{scene.home}/cart/")
    values = {"fields": _fields(scene), "countries": COUNTRIES, "params": scripts.literal(_params(scene))}
    cart = scene.cart
    return page(scene, SHEET, review=review.table(cart), payment=review.payment(cart, scene.home), **values)


def _fields(scene: Scene) -> list[dict[str, Any]]:
    known = scene.visit.session.billing
    return [
        {
            "name": name,
            "label": label,
            "row": row,
            "type": kind,
            "complete": complete,
            "required": name not in OPTIONAL,
            "priority": 10 * place + 20 if name == "email" else 10 * place,
            "value": known[name],
        }
        for place, (name, label, row, kind, complete) in enumerate(FIELDS, 1)
    ]


def _params(scene: Scene) -> dict[str, str]:
    orders = f'<a href="{scene.home}/my-account/orders/">order history</a>'
    failed = "There was an error processing your order. Please check for any charges in your payment method and review"
    nonces = {"update_order_review_nonce": UPDATE, "apply_coupon_nonce": APPLY, "remove_coupon_nonce": REMOVE}
    return {
        "ajax_url": "/wp-admin/admin-ajax.php",
        "wc_ajax_url": "/?wc-ajax=%%endpoint%%",
        **{name: sessions.nonce(scene.state, action=action) for name, action in nonces.items()},
        "option_guest_checkout": "yes",
        "checkout_url": "/?wc-ajax=checkout",
        "is_checkout": "1",
        "debug_mode": "",
        "i18n_checkout_error": f"{failed} your {orders} before placing the order again.",
    }
