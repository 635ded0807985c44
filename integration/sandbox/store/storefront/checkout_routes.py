"""The checkout of the Store API: opening it makes the draft, changing it moves the draft, posting it buys."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import documents, emails
from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.http_messages import ApiAnswer
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.problems import Refused, invalid, missing
from integration.sandbox.store.storefront import cart_json, drafts
from integration.sandbox.store.storefront.calls import Call
from integration.sandbox.store.storefront.cart_routes import set_addresses
from integration.sandbox.store.storefront.carts import COUPON_ERROR, pieces

REMINDER = "woo-mautic/cart-reminder"
REMINDER_META = f"_wc_other/{REMINDER}"
ATTRIBUTION = "woocommerce/order-attribution"
ATTRIBUTION_META = "_wc_order_attribution_"
NOTHING = "(none)"
UNPAID = {"payment_status": "", "payment_details": [], "redirect_url": ""}


def read(call: Call) -> ApiAnswer:
    """Open the checkout: the draft is made or touched by it, although it is a GET (storefront:054)."""
    return ApiAnswer(200, show(call, _open(call), UNPAID))


def _open(call: Call) -> Row:
    if call.cart.is_empty:
        raise Refused(400, "woocommerce_rest_cart_empty", "Cannot create order from empty cart.")
    return drafts.open_checkout(call.state, call.visit.session, call.request.ip, call.request.agent)


def update(call: Call) -> ApiAnswer:
    """Note the way of paying and the additional fields in the draft (storefront:062, storefront:142)."""
    row = _open(call)
    _note(call, row, call.body)
    call.state.orders.touch(row, call.state.now())
    return ApiAnswer(200, show(call, row, None, cart_json.show(call.cart, call.request.home)))


def _note(call: Call, row: Row, body: dict[str, Any]) -> None:
    method = str(body.get("payment_method") or "")
    if method and method not in GATEWAYS:
        text = f"payment_method is not one of {', '.join(GATEWAYS)}."
        raise invalid([("payment_method", "rest_not_in_enum", text, None)])
    if method:
        drafts.set_payment(call.state, row, method)
    if "customer_note" in body:
        documents.own_of_order(call.state, row)["customer_note"] = str(body["customer_note"] or "")
    drafts.set_meta(call.state, row, _reminder(call, body) | _attribution(body))


def _reminder(call: Call, body: dict[str, Any]) -> dict[str, str]:
    """Return the meta of the snippet's checkbox, if the shop has it; a tick is "1" (what no tick is was not seen)."""
    given = body.get("additional_fields")
    if not call.settings.has_reminder_field or not isinstance(given, dict) or REMINDER not in given:
        return {}
    return {REMINDER_META: "1" if given[REMINDER] else "0"}


def _attribution(body: dict[str, Any]) -> dict[str, str]:
    """Return the meta of where the visit came from; what is not known is left out (storefront:143, storefront:144)."""
    extensions = body.get("extensions")
    told = extensions.get(ATTRIBUTION) if isinstance(extensions, dict) else None
    return attribution(told) if isinstance(told, dict) else {}


def attribution(told: dict[str, Any]) -> dict[str, str]:
    """Return meta data of the values the attribution script of a page sends, by their plain names."""
    known = {name: str(value) for name, value in told.items() if value not in (NOTHING, "", None)}
    device = {"device_type": "Desktop"} if known else {}
    return {ATTRIBUTION_META + name: value for name, value in (known | device).items()}


def show(call: Call, row: Row, result: Any, cart: Any = None) -> dict[str, Any]:
    """Return a draft or order as the checkout shows it; `result` is what came of paying, `cart` the cart beside it."""
    document = documents.of_order(call.state, row)
    return {
        "order_id": row.id,
        "status": row.status,
        "order_key": document["order_key"],
        "order_number": str(row.id),
        "customer_note": document["customer_note"],
        "customer_id": row.customer_id,
        "billing_address": document["billing"],
        "shipping_address": document["shipping"],
        "payment_method": document["payment_method"],
        "payment_result": result,
        "additional_fields": _additional(call, document),
        "__experimentalCart": cart,
        "extensions": {},
    }


def _additional(call: Call, document: dict[str, Any]) -> dict[str, bool]:
    if not call.settings.has_reminder_field:
        return {}
    return {REMINDER: any(each["key"] == REMINDER_META and each["value"] == "1" for each in document["meta_data"])}


def place(call: Call) -> ApiAnswer:
    """Buy (storefront:064, storefront:070); raises Refused for what stands against it, in WooCommerce's order.

    A broken e-mail is refused before anything is done (storefront:071), a missing one after the draft has it
    (storefront:072); a coupon that no longer holds goes and nothing is ordered (storefront:102, storefront:107).
    """
    body = call.body
    _check_body(body)
    _check_cart(call)
    set_addresses(call, body)
    row = _open(call)
    _note(call, row, body)
    if not call.visit.session.email:
        raise Refused(400, "woocommerce_rest_missing_email_address", "A valid email address is required")
    _check_coupons(call)
    _check_payment(call, body)
    drafts.place(call.state, call.visit.session, row)
    return ApiAnswer(200, show(call, row, _paid(call, row)))


def _check_body(body: dict[str, Any]) -> None:
    if "billing_address" not in body:
        raise missing("billing_address")
    billing = body["billing_address"]
    email = str(billing.get("email") or "").strip() if isinstance(billing, dict) else ""
    if email and not emails.is_valid(email):
        raise invalid([("billing_address", "invalid_email", "The provided email address is not valid", None)])


def _check_cart(call: Call) -> None:
    broken = call.cart.broken_coupons()
    for code, text in broken.items():
        call.cart.remove_coupon(code)
        message = f'The "{code}" coupon has been removed from your cart: {text}'
        raise Refused(409, COUPON_ERROR, message, **{"0": 409})
    for error in call.cart.settle():
        raise Refused(409, error["code"], error["message"])
    for line in call.cart.totals.lines:
        left = pieces(line.product)
        if left is not None and left < line.item.quantity:
            text = f"Not enough units of {line.product['name']} are available in stock to fulfil this order."
            raise Refused(403, "woocommerce_product_not_enough_stock", text)


def _check_coupons(call: Call) -> None:
    removed = {code: refused.message for code, refused in call.cart.drop_bound().items()}
    if removed:
        drafts.follow(call.state, call.visit.session)
        text = " ".join(f'"{code}" was removed from the cart. {reason}' for code, reason in removed.items())
        raise Refused(409, "woocommerce_rest_cart_coupon_errors", text, removed_coupons=removed)


def _check_payment(call: Call, body: dict[str, Any]) -> None:
    if call.cart.totals.total > 0 and not body.get("payment_method"):
        text = "No payment method provided."
        raise Refused(400, "woocommerce_rest_checkout_missing_payment_method", text)


def _paid(call: Call, row: Row) -> dict[str, Any]:
    address = drafts.received_url(call.state, row, call.request.home)
    details = [{"key": "result", "value": "success"}, {"key": "redirect", "value": address}]
    return {"payment_status": "success", "payment_details": details, "redirect_url": address}
