"""The page of the block checkout: a skeleton, the data its scripts begin with, and the draft that drawing it makes."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.http_messages import ApiAnswer
from integration.sandbox.store.storefront import cart_json, checkout_routes, drafts, prices, scripts, sessions
from integration.sandbox.store.storefront.calls import Call
from integration.sandbox.store.storefront.rendering import Sheet, page, redirect
from integration.sandbox.store.storefront.scenes import Scene
from integration.sandbox.store.system import COUNTRIES

SHEET = Sheet(
    "checkout_block.html", "Checkout – {shop}", "Checkout", 200, 7, "woocommerce-checkout woocommerce-page", True, True
)
REMINDER_LABEL = "Remind me by e-mail if I do not finish my order"


def show(scene: Scene) -> ApiAnswer:
    """Return the page; with an empty cart the way to the cart (storefront:084). The draft is made here."""
    if scene.cart.is_empty:
        return redirect(scene, f"{scene.home}/cart/")
    row = drafts.open_checkout(scene.state, scene.visit.session, scene.request.ip, scene.request.agent)
    call = Call(scene.state, scene.settings, scene.request, scene.visit)
    checkout = checkout_routes.show(call, row, checkout_routes.UNPAID)
    values = {"nonce": sessions.nonce(scene.state), "now": scene.state.now()}
    settings, preload = scripts.literal(_settings(scene, checkout)), scripts.literal(_preload(scene, checkout))
    return page(scene, SHEET, settings=settings, preload=preload, **values)


def _settings(scene: Scene, checkout: dict[str, Any]) -> dict[str, Any]:
    """Return wcSettings, as much of it as scripts of others look at."""
    names = {"shop": 5, "cart": 6, "checkout": 7, "myaccount": 8, "privacy": 3}
    paths = {"myaccount": "my-account/", "privacy": "?page_id=3"}
    pages = {
        name: {"id": number, "title": name.title(), "permalink": f"{scene.home}/{paths.get(name, f'{name}/')}"}
        for name, number in names.items()
    }
    account = scene.account
    told = prices.currency(scene.state)
    currency = {"code": told["currency_code"], "precision": 2, "symbol": told["currency_symbol"]}
    currency |= {"decimalSeparator": ",", "thousandSeparator": ".", "priceFormat": "%2$s\u00a0%1$s"}
    return {
        "wcVersion": scene.state.version,
        "wpVersion": "6.9",
        "siteTitle": scene.state.title,
        "homeUrl": f"{scene.home}/",
        "currency": currency,
        "storePages": pages,
        "currentUserId": account.id if account else 0,
        "currentUserIsAdmin": False,
        "checkoutAllowsGuest": True,
        "checkoutData": checkout,
    }


def _preload(scene: Scene, checkout: dict[str, Any]) -> dict[str, Any]:
    reminder = {"id": checkout_routes.REMINDER, "label": REMINDER_LABEL} if scene.settings.has_reminder_field else None
    return {
        "cart": cart_json.show(scene.cart, scene.home),
        "checkout": checkout,
        "gateways": list(GATEWAYS.items()),
        "countries": [[code, name] for code, name in COUNTRIES.items()],
        "email_name": "contact_email" if scene.state.is_ten else "",
        "reminder": reminder,
        "fields_after": scene.settings.fields_after,
    }
