"""The routes of webhooks."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from integration.sandbox.store import rest_format, webhook_delivery
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.params import ORDER, PAGING, Param, anything, numbers, one_of, read
from integration.sandbox.store.problems import Refused, invalid, missing, no_trash
from integration.sandbox.store.state import State
from integration.sandbox.store.times import gmt, local
from integration.sandbox.store.webhook_payload import split

STATES = ("active", "paused", "disabled")
PARAMS = (
    *PAGING,
    Param("search", anything),
    Param("include", numbers),
    Param("order", ORDER, "desc"),
    Param("orderby", one_of("date", "id", "title"), "date"),
    Param("status", one_of("all", *STATES), "all"),
)
# An empty list of webhooks has one page, unlike all others (woo:189).
STYLE = Style("/wc/v3/webhooks", empty_pages=1)
HOOKS = {
    "customer.created": ["user_register", "woocommerce_created_customer", "woocommerce_new_customer"],
    "customer.updated": ["profile_update", "woocommerce_update_customer"],
    "customer.deleted": ["delete_user"],
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "order.deleted": ["wp_trash_post", "woocommerce_trash_order"],
    "order.restored": ["untrashed_post", "woocommerce_untrash_order"],
    "coupon.created": ["woocommerce_process_shop_coupon_meta", "woocommerce_new_coupon"],
    "coupon.updated": ["woocommerce_process_shop_coupon_meta", "woocommerce_update_coupon"],
    "coupon.deleted": ["wp_trash_post"],
    "coupon.restored": ["untrashed_post"],
    "product.created": ["woocommerce_process_product_meta", "woocommerce_new_product"],
    "product.updated": [
        "woocommerce_process_product_meta",
        "woocommerce_update_product",
        "woocommerce_update_product_variation",
    ],
    "product.deleted": ["wp_trash_post"],
    "product.restored": ["untrashed_post"],
}
#: Topics of WooCommerce Subscriptions, by its public source.
SUBSCRIPTION_HOOKS = {
    "subscription.created": ["wcs_api_subscription_created", "wcs_webhook_subscription_created"],
    "subscription.updated": ["woocommerce_subscription_status_changed", "wcs_webhook_subscription_updated"],
    "subscription.deleted": ["woocommerce_subscription_trashed", "woocommerce_subscription_deleted"],
}
PING_TIMEOUT = 5.0


def _is_topic(state: State, topic: str) -> bool:
    known = HOOKS | SUBSCRIPTION_HOOKS if state.has_subscriptions else HOOKS
    return topic in known or bool(re.match(r"^action\.(woocommerce_|wc_)\w+$", topic))


def _show(state: State, hook: dict[str, Any], root: str) -> dict[str, Any]:
    resource, event = split(hook["topic"])
    return {
        "id": hook["id"],
        "name": hook["name"],
        "status": hook["status"],
        "topic": hook["topic"],
        "resource": resource,
        "event": event,
        "hooks": (HOOKS | SUBSCRIPTION_HOOKS).get(hook["topic"], [event]),
        "delivery_url": hook["delivery_url"],
        "date_created": local(hook["created"], state.zone),
        "date_created_gmt": gmt(hook["created"]),
        "date_modified": local(hook["modified"], state.zone),
        "date_modified_gmt": gmt(hook["modified"]),
        "_links": rest_format.links(root, "/wc/v3/webhooks", hook["id"]),
    }


def _hook(state: State, number: int) -> dict[str, Any]:
    found = state.webhooks.get(number)
    if found is None:
        raise Refused(404, "woocommerce_rest_shop_webhook_invalid_id", "ID is invalid.")
    return found


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List webhooks; the secret is never among the fields."""
    values = read(request, PARAMS)
    page = Page.of(values | {"offset": None})
    found = [hook for hook in state.webhooks.values() if values["status"] in ("all", hook["status"])]
    found.sort(key=lambda hook: (hook["created"], hook["id"]), reverse=values["order"] == "desc")
    shown = [_show(state, hook, request.root) for hook in page.cut(found)]
    return answer(request, page, len(found), shown, STYLE)


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a webhook."""
    return _shown(request, _show(state, _hook(state, number), request.root))


def _shown(request: ApiRequest, shown: dict[str, Any]) -> ApiAnswer:
    found = rest_format.pick(shown, request.fields)
    if request.fields:
        found["_links"] = shown["_links"]
    return ApiAnswer(200, found)


def create(state: State, request: ApiRequest) -> ApiAnswer:
    """Make a webhook and ping it; an unreachable receiver changes nothing (woo:401 to woo:412)."""
    fields = request.payload()
    lacking = [name for name in ("topic", "delivery_url") if name not in fields]
    if lacking:
        raise missing(*lacking)
    _check(state, fields)
    now = state.now()
    hook: dict[str, Any] = {
        "id": state.next_id("webhook"),
        "name": str(fields.get("name") or _dated_name(now)),
        "status": str(fields.get("status") or "active"),
        "topic": str(fields["topic"]),
        "delivery_url": str(fields["delivery_url"]),
        "secret": str(fields.get("secret") or secrets.token_urlsafe(38)[:50]),
        "created": now,
        "modified": None,
        "failures": 0,
    }
    state.webhooks[hook["id"]] = hook
    shown = _show(state, hook, request.root)
    state.changed()
    return ApiAnswer(201, shown, [("Location", shown["_links"]["self"][0]["href"])], then=_ping(state, hook))


def _dated_name(now: int) -> str:
    return f"Webhook created on {datetime.fromtimestamp(now, UTC):%b %d, %Y @ %I:%M %p}"


def _check(state: State, fields: dict[str, Any]) -> None:
    if "topic" in fields and not _is_topic(state, str(fields["topic"])):
        text = "Webhook topic is required and must be valid."
        raise Refused(400, "woocommerce_rest_shop_webhook_invalid_topic", text)
    if "delivery_url" in fields and not re.match(r"^https?://[^\s/]", str(fields["delivery_url"])):
        text = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise Refused(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", text)
    if "status" in fields and (fault := one_of(*STATES)("status", fields["status"])):
        raise invalid([fault])


def _ping(state: State, hook: dict[str, Any]) -> Callable[[], object] | None:
    """Return the ping: `webhook_id=N` as a form, unsigned, before the answer goes out (woo:310 and woo:373).

    Only a ping that is answered with 200 moves the webhook's date (woo:319 and woo:402).
    """
    if hook["status"] != "active":
        return None
    body = f"webhook_id={hook['id']}".encode()
    message = webhook_delivery.Message(body, {"Content-Type": "application/x-www-form-urlencoded"}, state.version)

    def ping() -> None:
        if webhook_delivery.post(hook["delivery_url"], message, PING_TIMEOUT) == 200:
            with state.lock:
                hook["modified"] = state.now()

    return ping


def edit(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Change a webhook; another delivery_url is pinged anew, and switching it on forgets its failures."""
    hook, fields = _hook(state, number), request.payload()
    _check(state, fields)
    moved = fields.get("delivery_url", hook["delivery_url"]) != hook["delivery_url"]
    if fields.get("status") == "active":
        hook["failures"] = 0
    for name in ("name", "status", "topic", "delivery_url", "secret"):
        hook[name] = str(fields.get(name, hook[name]))
    hook["modified"] = state.now()
    state.changed()
    shown = one(state, request, number)
    shown.then = _ping(state, hook) if moved else None
    return shown


def delete(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Delete a webhook; only with force (woo:371)."""
    shown = one(state, request, number)
    if not request.flag("force"):
        raise no_trash("Webhooks")
    del state.webhooks[number]
    state.changed()
    return shown
