"""The routes of shipping zones and their methods, so that one can ask whether free shipping by coupon is possible."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.params import one_of
from integration.sandbox.store.problems import Refused, invalid, missing
from integration.sandbox.store.shipping_zones import FLAT, FREE, FREE_REQUIRES, Method, Zone
from integration.sandbox.store.state import State

KINDS = {
    FLAT: ("Flat rate", "Lets you charge a fixed rate for shipping."),
    FREE: (
        "Free shipping",
        "Free shipping is a special method which can be triggered with coupons and minimum spends.",
    ),
}
REQUIRES = dict(
    zip(
        FREE_REQUIRES,
        (
            "No requirement",
            "A valid free shipping coupon",
            "A minimum order amount",
            "A minimum order amount OR coupon",
            "A minimum order amount AND coupon",
        ),
        strict=True,
    )
)
SHOWN = "Your customers will see the name of this shipping method during checkout."
SPEND = "Customers will need to spend this amount to get free shipping."
BEFORE = "If checked, free shipping would be available based on pre-discount order amount."


def _setting(name: str, label: str, kind: str, value: str, default: str = "", **more: Any) -> dict[str, Any]:
    told = {"id": name, "label": label, "description": more.pop("description", ""), "type": kind, "value": value}
    return {**told, "default": default, "tip": told["description"], "placeholder": more.pop("placeholder", ""), **more}


def zones(state: State, request: ApiRequest) -> ApiAnswer:
    """List the zones, the one for everywhere first."""
    shown = [_show_zone(request, zone) for _, zone in sorted(state.zones.items())]
    return ApiAnswer(200, [rest_format.pick(each, request.fields) for each in shown])


def zone(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a zone."""
    return ApiAnswer(200, rest_format.pick(_show_zone(request, _zone(state, number)), request.fields))


def _zone(state: State, number: int) -> Zone:
    found = state.zones.get(number)
    if found is None:
        raise Refused(404, "woocommerce_rest_shipping_zone_invalid", "Resource does not exist.")
    return found


def _show_zone(request: ApiRequest, each: Zone) -> dict[str, Any]:
    found = rest_format.links(request.root, "/wc/v3/shipping/zones", each.id)
    found["describedby"] = [{"href": f"{request.root}/wc/v3/shipping/zones/{each.id}/locations"}]
    return {"id": each.id, "name": each.name, "order": each.id, "_links": found}


def locations(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """List the countries a zone is for, none for the one for everywhere."""
    return ApiAnswer(200, [{"code": code, "type": "country"} for code in _zone(state, number).countries])


def methods(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """List the methods of a zone."""
    found = _zone(state, number)
    shown = [show(request, found, each) for each in found.methods]
    return ApiAnswer(200, [rest_format.pick(each, request.fields) for each in shown])


def add_method(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Add a method to a zone; answered with 200, not 201 (storefront:050)."""
    found, fields = _zone(state, number), request.payload()
    if "method_id" not in fields:
        raise missing("method_id")
    if fault := one_of(*KINDS)("method_id", fields["method_id"]):
        raise invalid([fault])
    kind = str(fields["method_id"])
    last = max((each.id for every in state.zones.values() for each in every.methods), default=0)
    settings = {"title": KINDS[kind][0]} | {name: str(value) for name, value in _given(fields).items()}
    if fault := one_of(*FREE_REQUIRES)("requires", settings.get("requires", "")):
        raise invalid([fault])
    made = Method(last + 1, kind, settings, enabled=fields.get("enabled", True) is not False)
    found.methods.append(made)
    state.changed()
    return ApiAnswer(200, show(request, found, made))


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    given = fields.get("settings")
    return given if isinstance(given, dict) else {}


def show(request: ApiRequest, found: Zone, method: Method) -> dict[str, Any]:
    """Return a method as the API shows it (storefront:050)."""
    title, text = KINDS[method.kind]
    links = rest_format.links(request.root, f"/wc/v3/shipping/zones/{found.id}/methods", method.id)
    links["describes"] = [{"href": f"{request.root}/wc/v3/shipping/zones/{found.id}"}]
    return {
        "id": method.id,
        "instance_id": method.id,
        "title": method.settings.get("title", title),
        "order": found.methods.index(method) + 1,
        "enabled": method.enabled,
        "method_id": method.kind,
        "method_title": title,
        "method_description": f"<p>{text}</p>\n",
        "settings": _settings(method, title),
        "_links": links,
    }


def _settings(method: Method, title: str) -> dict[str, Any]:
    kept = method.settings
    shown = {
        "title": _setting(
            "title", "Name", "text", kept.get("title", title), title, description=SHOWN, placeholder=f"e.g. {title}"
        )
    }
    if method.kind == FLAT:
        return shown | {"cost": _setting("cost", "Cost", "text", kept.get("cost", ""))}
    needs, low = kept.get("requires", ""), kept.get("min_amount", "0")
    asks = _setting("requires", "Free shipping requires", "select", needs, options=REQUIRES)
    least = _setting("min_amount", "Minimum order amount", "text", low, description=SPEND)
    before = kept.get("ignore_discounts", "no")
    ignores = _setting("ignore_discounts", "Coupons discounts", "checkbox", before, "no", description=BEFORE)
    return shown | {"requires": asks, "min_amount": least, "ignore_discounts": ignores}
