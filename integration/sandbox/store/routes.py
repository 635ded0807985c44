"""The table of routes and the way a request takes through it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from integration.sandbox.store import (
    coupons,
    customers,
    order_parts,
    orders,
    products,
    shipping,
    subscriptions,
    system,
    webhooks,
)
from integration.sandbox.store.auth import check_rights
from integration.sandbox.store.batches import Handler, batch
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.problems import Refused, no_route
from integration.sandbox.store.state import State

NUMBER = r"(?P<number>[\d]+)"


@dataclass(frozen=True)
class Route:
    """One address below /wp-json: its pattern, its handlers by verb, and which right it asks for."""

    pattern: str
    handlers: dict[str, Handler]
    kind: str = "list"
    more: tuple[str, ...] = ()

    @property
    def verbs(self) -> list[str]:
        """Return the verbs the real route has; `more` are those that are not made here."""
        return [*self.handlers, *self.more]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the named parts of the path, or None."""
        found = re.match(self.pattern + "$", path)
        return found.groupdict() if found else None


def _list(place: str, index: Handler, create: Handler | None = None, more: tuple[str, ...] = ()) -> Route:
    return Route(place, {"GET": index} | ({"POST": create} if create else {}), more=more)


def _item(place: str, one: Handler, *changers: Handler, more: tuple[str, ...] = ()) -> Route:
    """Make the route of one item; the changers are for editing and for deleting."""
    changes = {"POST": changers[0], "PUT": changers[0], "PATCH": changers[0]} if changers else {}
    deleting = {"DELETE": changers[1]} if changers[1:] else {}
    return Route(place, {"GET": one} | changes | deleting, "item", more)


def _batch(place: str, create: Handler, edit: Handler, delete: Handler) -> Route:
    run = batch(create, edit, delete)
    return Route(place, {"POST": run, "PUT": run, "PATCH": run}, "batch")


V3 = "/wc/v3"
ORDER = rf"{V3}/orders/{NUMBER}"
ROUTES: tuple[Route, ...] = (
    _list(f"{V3}/orders", orders.index, orders.create),
    _batch(f"{V3}/orders/batch", orders.create, orders.edit, orders.delete),
    _item(ORDER, orders.one, orders.edit, orders.delete),
    _list(f"{ORDER}/notes", order_parts.notes, order_parts.add_note),
    _list(f"{ORDER}/refunds", order_parts.refunds, order_parts.add_refund),
    _item(rf"{ORDER}/refunds/(?P<refund>[\d]+)", order_parts.one_refund, more=("DELETE",)),
    _list(f"{V3}/refunds", order_parts.all_refunds),
    _list(f"{V3}/customers", customers.index, customers.create),
    _batch(f"{V3}/customers/batch", customers.create, customers.edit, customers.delete),
    _item(rf"{V3}/customers/{NUMBER}", customers.one, customers.edit, customers.delete),
    _list(rf"{V3}/customers/{NUMBER}/downloads", customers.downloads),
    _list(f"{V3}/products", products.index, more=("POST",)),
    _list(f"{V3}/products/categories", products.categories, more=("POST",)),
    _item(rf"{V3}/products/categories/{NUMBER}", products.category, more=("POST", "PUT", "PATCH", "DELETE")),
    _item(rf"{V3}/products/{NUMBER}", products.one, products.edit, products.delete),
    _list(rf"{V3}/products/{NUMBER}/variations", products.variations, more=("POST",)),
    _list(f"{V3}/coupons", coupons.index, coupons.create),
    _batch(f"{V3}/coupons/batch", coupons.create, coupons.edit, coupons.delete),
    _item(rf"{V3}/coupons/{NUMBER}", coupons.one, coupons.edit, coupons.delete),
    _list(f"{V3}/shipping/zones", shipping.zones, more=("POST",)),
    _item(rf"{V3}/shipping/zones/{NUMBER}", shipping.zone, more=("POST", "PUT", "PATCH", "DELETE")),
    _list(rf"{V3}/shipping/zones/{NUMBER}/locations", shipping.locations, more=("POST", "PUT", "PATCH")),
    _list(rf"{V3}/shipping/zones/{NUMBER}/methods", shipping.methods, shipping.add_method),
    _list(f"{V3}/webhooks", webhooks.index, webhooks.create),
    _batch(f"{V3}/webhooks/batch", webhooks.create, webhooks.edit, webhooks.delete),
    _item(rf"{V3}/webhooks/{NUMBER}", webhooks.one, webhooks.edit, webhooks.delete),
    _list(f"{V3}/system_status", system.status),
    _list(f"{V3}/settings/general", system.general),
    _list(f"{V3}/data/currencies/current", system.currency),
    _list(f"{V3}/data/countries", system.countries),
    _list(f"{V3}/taxes", system.taxes, more=("POST",)),
    _list(f"{V3}/reports/orders/totals", system.order_totals),
    _list(f"{V3}/reports/customers/totals", system.customer_totals),
    _item(rf"{V3}/payment_gateways/(?P<name>[\w-]+)", system.gateway, more=("POST", "PUT", "PATCH")),
)
SUBSCRIPTIONS: tuple[Route, ...] = (
    _list(f"{V3}/subscriptions", subscriptions.index, more=("POST",)),
    _item(rf"{V3}/subscriptions/{NUMBER}", subscriptions.one, more=("POST", "PUT", "PATCH", "DELETE")),
)


def of_shop(state: State) -> tuple[Route, ...]:
    """Return the routes that a shop has."""
    return (*ROUTES, *SUBSCRIPTIONS) if state.has_subscriptions else ROUTES


def run(state: State, request: ApiRequest, path: str) -> ApiAnswer:
    """Answer a request to a route of the shop; raises Refused for no route, no right, or what the handler refuses."""
    route, parts = _find(state, path)
    method = "GET" if request.method == "HEAD" else request.method
    if method == "OPTIONS":
        return ApiAnswer(200, {"namespace": "wc/v3", "methods": route.verbs, "endpoints": []}, [_allow(route)])
    handler = route.handlers.get(method)
    if handler is None:
        raise no_route()
    check_rights(request.role, route.kind, method)
    with state.lock:
        try:
            answer = handler(state, request, **{name: _typed(name, value) for name, value in parts.items()})
        except Refused as refused:
            refused.allow = "" if refused.code == "wc_user_invalid_id" else ", ".join(route.verbs)
            raise
    if answer.then:
        # The ping of a new webhook goes out before the answer, but not under the lock: its receiver may call the shop.
        answer.then()
    if answer.names_verbs and not any(name == "Allow" for name, _ in answer.headers):
        answer.headers.append(_allow(route))
    return answer


def _find(state: State, path: str) -> tuple[Route, dict[str, str]]:
    for route in of_shop(state):
        parts = route.match(path)
        if parts is not None:
            return route, parts
    raise no_route()


def _typed(name: str, value: str) -> int | str:
    return value if name == "name" else int(value)


def _allow(route: Route) -> tuple[str, str]:
    return "Allow", ", ".join(route.verbs)
