"""An order's own pages: paying for it by its link, and the thank-you page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from integration.sandbox.store import documents, money, order_changes, order_json
from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.http_messages import ApiAnswer
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.statuses import label
from integration.sandbox.store.storefront import drafts, guarding, prices, sessions, templates
from integration.sandbox.store.storefront.notices import Notice, refused
from integration.sandbox.store.storefront.rendering import Sheet, page, redirect
from integration.sandbox.store.storefront.scenes import Scene

CHECKOUT = 7
KIND = "woocommerce-checkout woocommerce-page"
PAY = Sheet("pay.html", "Pay for order – {shop}", "Pay for order", 200, CHECKOUT, KIND, True, True, True)
RECEIVED = Sheet(
    "received.html", "Order Confirmation", "", 200, CHECKOUT, f"{KIND} woocommerce-order-received", True, True, True
)
PAY_NONCE = "woocommerce-pay"
INVALID = "Sorry, this order is invalid and cannot be paid for."
LOG_IN = Notice("info", Markup("Please log in to your account below to continue to the payment form."))


def pay(scene: Scene, number: int) -> ApiAnswer:
    """Return the page an order's payment_url leads to, or take its form and go to the thank-you page."""
    row = guarding.order_of(scene.state, number, scene.args.get("key", ""))
    scene.start()
    if row is None:
        return _pay_page(scene, None, refused(INVALID))
    if guarding.must_log_in(scene, row):
        return _pay_page(scene, None, LOG_IN, asks="login.html")
    if guarding.must_verify(scene, row):
        return _pay_page(scene, None, None, asks="verify.html")
    total = money.amount(documents.of_order(scene.state, row)["total"])
    if row.status not in order_json.PAYABLE or total <= 0:
        return _pay_page(scene, None, refused(_unpayable(row)))
    if "woocommerce_pay" in scene.form:
        return _settle(scene, row)
    return _pay_page(scene, row)


def _unpayable(row: Row) -> str:
    state = f"This order&rsquo;s status is &ldquo;{label(row.status)}&rdquo;&mdash;it cannot be paid for."
    return f"{state} Please contact us if you need assistance."


def _settle(scene: Scene, row: Row) -> ApiAnswer:
    method = scene.form.get("payment_method", "")
    if not sessions.is_nonce(scene.state, scene.form.get("woocommerce-pay-nonce", ""), PAY_NONCE):
        return _pay_page(scene, row, refused("Your session has expired. Please try again."))
    if method not in GATEWAYS:
        return _pay_page(scene, row, refused("Invalid payment method."))
    _pay_with(scene, row, method)
    return redirect(scene, drafts.received_url(scene.state, row, scene.home))


def _pay_with(scene: Scene, row: Row, method: str) -> None:
    """Settle an order; a draft becomes an order of the same id (storefront:129), so it is told of as created too."""
    was_draft = row.status == drafts.DRAFT
    drafts.set_payment(scene.state, row, method)
    order_changes.settle(scene.state, row, "on-hold" if method == "bacs" else "processing", paid=False)
    scene.state.changed("order.updated", row.id)
    if was_draft:
        scene.state.changed("order.created", row.id)


def _pay_page(scene: Scene, row: Row | None, notice: Notice | None = None, asks: str = "") -> ApiAnswer:
    nonce = sessions.nonce(scene.state, action=PAY_NONCE)
    values = {"order": _shown(scene, row) if row else None, "gateways": GATEWAYS, "nonce": nonce}
    form = templates.fill(asks, **_asking(scene)) if asks else ""
    return page(scene, PAY, told=notice.html() if notice else "", form=form, **values)


def _asking(scene: Scene) -> dict[str, str]:
    nonce = sessions.nonce(scene.state, action=guarding.VERIFY)
    return {"home": scene.home, "nonce": nonce, "target": scene.request.target}


def _shown(scene: Scene, row: Row) -> dict[str, Any]:
    document = documents.of_order(scene.state, row)
    lines = [
        (templates.name(line["name"]), line["quantity"], templates.price(scene.state, money.amount(line["subtotal"])))
        for line in document["line_items"]
    ]
    subtotal = sum((money.amount(line["subtotal"]) for line in document["line_items"]), money.amount(0))
    sums = {"Subtotal": subtotal, "Shipping": money.amount(document["shipping_total"])}
    sums |= {"Tax": money.amount(document["total_tax"]), "Total": money.amount(document["total"])}
    return {"lines": lines, "sums": {name: templates.price(scene.state, value) for name, value in sums.items()}}


def received(scene: Scene, number: int) -> ApiAnswer:
    """Return the thank-you page: whole for the buyer, without the key it only says thank you (storefront:133)."""
    row = guarding.order_of(scene.state, number, scene.args.get("key", ""))
    if row is None:
        return page(scene, RECEIVED, summary=None, form="")
    if guarding.must_log_in(scene, row):
        return page(scene, RECEIVED, summary=None, form=templates.fill("login.html", **_asking(scene)))
    if guarding.must_verify(scene, row):
        return page(scene, RECEIVED, summary=None, form=templates.fill("confirm.html", **_asking(scene)))
    return page(scene, RECEIVED, summary=_summary(scene, row), form="")


def _summary(scene: Scene, row: Row) -> dict[str, str]:
    document = documents.of_order(scene.state, row)
    day = datetime.fromtimestamp(row.created, scene.state.zone)
    told = {
        "Order #:": str(row.id),
        "Date:": f"{day:%B} {day.day}, {day.year}",
        "Total:": Markup(prices.html(scene.state, money.amount(document["total"]))),
        "Email:": document["billing"]["email"],
        "Payment:": document["payment_method_title"],
    }
    return {name: value for name, value in told.items() if value}
