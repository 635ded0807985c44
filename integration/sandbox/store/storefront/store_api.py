"""The Store API at /wp-json/wc/store/v1: which route, whether it may be, and many calls in one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from integration.sandbox.store import faults
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.problems import Refused, invalid, no_route
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import (
    calls,
    cart_json,
    cart_routes,
    catalogue,
    checkout_routes,
    drafts,
    sessions,
)
from integration.sandbox.store.storefront.calls import Call
from integration.sandbox.store.storefront.settings import Settings

BASE = "/wc/store/v1"
BATCH = f"{BASE}/batch"
PRODUCT = re.compile(rf"^{BASE}/products(?:/(?P<number>\d+))?$")
BATCH_MAX = 25
READING = ("GET", "HEAD")
Handler = Callable[[Call], ApiAnswer]


@dataclass(frozen=True)
class Route:
    """The handlers of an address by verb; `asks` when reading needs a nonce or token too (storefront:053)."""

    handlers: dict[str, Handler]
    asks: bool = False
    more: tuple[str, ...] = ()

    @property
    def allow(self) -> str:
        """Return its verbs, as the header says them."""
        return ", ".join([*self.handlers, *self.more])


def _post(handler: Handler) -> Route:
    return Route({"POST": handler})


ROUTES = {
    f"{BASE}/cart": Route({"GET": cart_routes.read}),
    f"{BASE}/cart/add-item": _post(cart_routes.add),
    f"{BASE}/cart/update-item": _post(cart_routes.update),
    f"{BASE}/cart/remove-item": _post(cart_routes.remove),
    f"{BASE}/cart/items": Route({"GET": cart_routes.items, "POST": cart_routes.add_line, "DELETE": cart_routes.clear}),
    f"{BASE}/cart/apply-coupon": _post(cart_routes.apply_coupon),
    f"{BASE}/cart/remove-coupon": _post(cart_routes.remove_coupon),
    f"{BASE}/cart/update-customer": _post(cart_routes.update_customer),
    f"{BASE}/cart/select-shipping-rate": _post(cart_routes.select_rate),
    f"{BASE}/checkout": Route(
        {
            "GET": checkout_routes.read,
            "POST": checkout_routes.place,
            "PUT": checkout_routes.update,
            "PATCH": checkout_routes.update,
        },
        asks=True,
    ),
}


def answer(state: State, settings: Settings, request: ApiRequest, path: str) -> ApiAnswer:
    """Answer a request to the Store API; `path` is the one below /wp-json. Raises Refused for no such route."""
    if settings.firewall:
        return faults.plain_status(403)
    if wait := settings.wait(state.now()):
        return _too_many(settings, state, request, wait)
    found = PRODUCT.match(path)
    if found:
        return _products(state, request, found["number"])
    if path != BATCH and path not in ROUTES:
        raise no_route()
    if request.method == "OPTIONS":
        allow = "POST" if path == BATCH else ROUTES[path].allow
        return ApiAnswer(200, b"", [*calls.cors(state, request), ("Allow", allow)])
    with state.lock:
        call = Call(state, settings, request, sessions.visit(state, request))
        return _batch(call) if path == BATCH else _single(call, path)


def _too_many(settings: Settings, state: State, request: ApiRequest, wait: int) -> ApiAnswer:
    """Return the answer of WooCommerce's own limit: 400, not 429."""
    text = f"Too many requests. Please wait {wait} seconds before trying again."
    body = Refused(400, "rate_limit_exceeded", text).body()
    limits = {"Limit": settings.rate_limit, "Remaining": 0, "Reset": state.now() + wait, "Retry-After": wait}
    headers = [(f"RateLimit-{name}", str(value)) for name, value in limits.items()]
    return ApiAnswer(400, body, [*calls.cors(state, request), *headers])


def _products(state: State, request: ApiRequest, number: str | None) -> ApiAnswer:
    headers = [*calls.cors(state, request), ("Allow", "GET")]
    if request.method == "OPTIONS":
        return ApiAnswer(200, b"", headers)
    if request.method not in READING:
        raise no_route()
    with state.lock:
        try:
            made = catalogue.one(state, request, int(number)) if number else catalogue.index(state, request)
        except Refused as refused:
            made = ApiAnswer(refused.status, refused.body())
    return replace(made, headers=[*headers, *made.headers])


def _single(call: Call, path: str) -> ApiAnswer:
    made, allow, is_bare = _run(call, path)
    told = [] if is_bare else [*calls.tokens(call), *calls.cookies(call, made)]
    made.headers += [*calls.cors(call.state, call.request, call.visit.by_token), ("Allow", allow), *told]
    return made


def _run(call: Call, path: str) -> tuple[ApiAnswer, str, bool]:
    """Return the answer of one route, its verbs, and whether its parameters were refused before anything was done."""
    route, method = ROUTES[path], call.request.method
    handler = route.handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        return ApiAnswer(404, no_route().body()), route.allow, True
    try:
        _check_nonce(call, route)
        return handler(call), route.allow, False
    except Refused as refused:
        is_bare = refused.code.startswith("rest_")
        return ApiAnswer(refused.status, _refusal(call, refused)), route.allow, is_bare
    finally:
        if method not in READING and not route.asks:
            drafts.follow(call.state, call.visit.session)


def _refusal(call: Call, refused: Refused) -> dict[str, Any]:
    """Return a refusal's body; a conflict has the whole cart in it (storefront:015)."""
    if refused.status == 409:
        refused.data["cart"] = cart_json.show(call.cart, call.request.home)
    return refused.body()


def _check_nonce(call: Call, route: Route) -> None:
    headers = call.request.headers
    if call.request.method in READING and not route.asks:
        return
    if sessions.token_key(call.state, headers.get("cart-token", "")):
        return
    given = headers.get("nonce", "")
    if not given:
        text = "Missing the Nonce header. This endpoint requires a valid nonce."
        raise Refused(401, "woocommerce_rest_missing_nonce", text)
    if not sessions.is_nonce(call.state, given):
        raise Refused(403, "woocommerce_rest_invalid_nonce", "Nonce is invalid.")


def _batch(call: Call) -> ApiAnswer:
    """Run many calls; each part has its own nonce and fails alone (storefront:080, storefront:141)."""
    if call.request.method != "POST":
        raise no_route()
    parts = call.body.get("requests")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise invalid([("requests", "rest_invalid_type", "requests is not of type array.", {"param": "requests"})])
    if len(parts) > BATCH_MAX:
        text = f"requests must contain at most {BATCH_MAX} items."
        raise invalid([("requests", "rest_too_many_items", text, None)])
    made = ApiAnswer(207, {"responses": [_part(call, part) for part in parts]})
    told = [each for each in calls.tokens(call) if not each[0].startswith("Cart-")]
    cors = calls.cors(call.state, call.request, call.visit.by_token)
    made.headers = [*cors, ("Allow", "POST"), *told, *calls.cookies(call, made)]
    return made


def _part(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    path = str(part.get("path", "")).partition("?")[0]
    if path not in ROUTES:
        return {"body": no_route().body(), "status": 404, "headers": {}}
    inner = replace(call, request=_inner(call.request, part))
    made, allow, is_bare = _run(inner, path)
    call.adds = call.adds or inner.adds
    headers: dict[str, Any] = {} if is_bare else dict(calls.tokens(inner))
    for name in ("Nonce-Timestamp", "User-ID"):
        if name in headers:
            headers[name] = int(headers[name])
    return {"body": made.body, "status": made.status, "headers": headers | {"Allow": allow}}


def _inner(request: ApiRequest, part: dict[str, Any]) -> ApiRequest:
    given = part.get("headers")
    own = {name.lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    kept = {name: request.headers[name] for name in ("cookie", "user-agent", "origin") if name in request.headers}
    headers = {**kept, **own, "content-type": "application/json"}
    method = str(part.get("method", "POST")).upper()
    return replace(request, method=method, headers=headers, body=json.dumps(part.get("body") or {}).encode())
