"""Which page of the shop a request is for: the shopper's side of the stand-in, apart from its APIs."""

from __future__ import annotations

import re
from collections.abc import Callable

from integration.sandbox.store.http_messages import HTML, ApiAnswer, ApiRequest
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import (
    adding,
    block_page,
    classic_calls,
    classic_page,
    links,
    order_pages,
    rendering,
    sessions,
    shop_pages,
)
from integration.sandbox.store.storefront.scenes import Scene
from integration.sandbox.store.storefront.settings import Settings

Page = Callable[[Scene], ApiAnswer]
PAGES: dict[str, Page] = {
    "/": lambda scene: shop_pages.shop(scene, "{shop}", is_front=True),
    "/index.php": lambda scene: shop_pages.shop(scene, "{shop}", is_front=True),
    "/shop/": lambda scene: shop_pages.shop(scene, "Shop – {shop}"),
    "/cart/": shop_pages.cart,
    "/checkout/": block_page.show,
    "/checkout-classic/": classic_page.show,
    "/my-account/": shop_pages.account,
}
ORDER = re.compile(r"^/checkout/order-(pay|received)/(\d+)/$")
LINK = "/checkout-link/"


def answer(state: State, settings: Settings, request: ApiRequest) -> ApiAnswer:
    """Return the page at the request's path, the way to it, or the shop's page for what is not found."""
    if request.path.startswith(rendering.ASSETS):
        name = request.path.removeprefix(rendering.ASSETS)
        found = rendering.asset(name)
        if found:
            return found
    with state.lock:
        scene = Scene(state, settings, request, sessions.visit(state, request))
        return shop_pages.login(scene) or _answer(scene)


def _answer(scene: Scene) -> ApiAnswer:
    path = scene.request.path
    if "wc-ajax" in scene.request.query:
        return classic_calls.answer(scene, str(scene.request.query["wc-ajax"]))
    if scene.state.is_ten and path == LINK:
        return links.checkout_link(scene)
    order = ORDER.match(path)
    if order:
        return (order_pages.pay if order[1] == "pay" else order_pages.received)(scene, int(order[2]))
    if _is_without_slash(scene):
        return _with_slash(scene)
    if path == "/checkout/":
        links.adopt(scene)
    adding.act(scene)
    page = PAGES.get(path) or (shop_pages.product if path.startswith("/product/") else shop_pages.not_found)
    return page(scene)


def _is_without_slash(scene: Scene) -> bool:
    path = f"{scene.request.path}/"
    own = path in PAGES or ORDER.match(path) or (scene.state.is_ten and path == LINK) or path.startswith("/product/")
    return not scene.request.path.endswith("/") and bool(own)


def _with_slash(scene: Scene) -> ApiAnswer:
    """Return the way to the same address with its slash, as WordPress sends there."""
    query = scene.request.target.partition("?")[2]
    address = f"{scene.home}{scene.request.path}/" + (f"?{query}" if query else "")
    headers = [("X-Redirect-By", "WordPress"), ("Location", address)]
    return ApiAnswer(301, b"", headers, HTML, is_page=True)
