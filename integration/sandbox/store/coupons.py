"""The routes of coupons."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import coupon_codes, emails, money, order_building, product_json, rest_format
from integration.sandbox.store.coupon_defaults import blank_coupon
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.params import ORDER, PAGING, Param, anything, listed, numbers, one_of, read
from integration.sandbox.store.problems import Refused, invalid, missing
from integration.sandbox.store.state import State
from integration.sandbox.store.times import from_local

PARAMS = (
    *PAGING,
    Param("search", anything),
    Param("include", numbers),
    Param("order", ORDER, "desc"),
    Param("orderby", one_of("date", "id", "include", "title", "slug", "modified"), "date"),
    Param("code", anything),
)
STYLE = Style("/wc/v3/coupons")
TYPES = ("percent", "fixed_cart", "fixed_product")
FLAGS = ("individual_use", "free_shipping", "exclude_sale_items")
LIMITS = ("usage_limit", "usage_limit_per_user", "limit_usage_to_x_items")
LISTS = ("product_ids", "excluded_product_ids", "product_categories", "excluded_product_categories")
AMOUNTS = ("amount", "minimum_amount", "maximum_amount")


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List coupons; `code` is found in any case (woo:142 and woo:143)."""
    values = read(request, PARAMS)
    page = Page.of(values | {"offset": None})
    found = [entry for entry in state.coupons.values() if entry["status"] != "trash" and _matches(entry, values)]
    found.sort(key=lambda entry: (entry["created"], entry["id"]), reverse=values["order"] == "desc")
    shown = [product_json.show_coupon(state, entry, request.root) for entry in page.cut(found)]
    return answer(request, page, len(found), shown, STYLE)


def _matches(entry: dict[str, Any], values: dict[str, Any]) -> bool:
    if values["code"] and not coupon_codes.are_same(entry["code"], str(values["code"])):
        return False
    if values["include"] and str(entry["id"]) not in listed(values["include"]):
        return False
    return not values["search"] or str(values["search"]).lower() in entry["code"].lower()


def _shown(state: State, request: ApiRequest, entry: dict[str, Any], status: int = 200) -> ApiAnswer:
    shown = product_json.show_coupon(state, entry, request.root)
    found = rest_format.pick(shown, request.fields)
    if request.fields:
        found["_links"] = shown["_links"]
    headers = [("Location", shown["_links"]["self"][0]["href"])] if status == 201 else []
    return ApiAnswer(status, found, headers)


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a coupon."""
    return _shown(state, request, product_json.coupon(state, number))


def create(state: State, request: ApiRequest) -> ApiAnswer:
    """Make a coupon; raises Refused for no code, a code that is taken, an unknown type or more than 100 percent."""
    fields = request.payload()
    if "code" not in fields:
        raise missing("code")
    code = coupon_codes.kept(str(fields["code"]).strip(), state.is_ten)
    if code in ("", "0"):
        raise Refused(400, "woocommerce_rest_empty_coupon_code", "The coupon code cannot be empty.")
    _check(fields)
    published = [entry["code"] for entry in state.coupons.values() if entry["status"] == "publish"]
    if any(coupon_codes.are_same(each, code) for each in published):
        raise Refused(400, "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists")
    entry = blank_coupon(state.next_id("post"), code, state.now())
    _fill(state, entry, fields)
    state.coupons[entry["id"]] = entry
    state.changed("coupon.created", entry["id"])
    return _shown(state, request, entry, 201)


def _check(fields: dict[str, Any], held: str = "fixed_cart") -> None:
    kind = fields.get("discount_type", held)
    if fault := one_of(*TYPES)("discount_type", kind):
        raise invalid([fault])
    if kind == "percent" and money.amount(fields.get("amount")) > 100:
        raise Refused(400, "coupon_invalid_amount", "Invalid discount amount.")


def _fill(state: State, entry: dict[str, Any], fields: dict[str, Any]) -> None:
    for name in ("discount_type", "description"):
        entry[name] = str(fields.get(name, entry[name]))
    for name in (name for name in AMOUNTS if name in fields):
        entry[name] = money.text(money.amount(fields[name]))
    for name in (name for name in FLAGS if name in fields):
        entry[name] = str(fields[name]).lower() in ("1", "true")
    for name in (name for name in LIMITS if name in fields):
        entry[name] = int(fields[name]) if fields[name] else None
    for name in (name for name in LISTS if name in fields):
        entry[name] = [int(each) for each in fields[name]]
    if "email_restrictions" in fields:
        # What is no e-mail address is dropped silently, and a coupon without any is open to all (woo:146); others are
        # changed without a word (storefront:031 to storefront:035).
        cleaned = [emails.sanitized(str(each).lower()) for each in fields["email_restrictions"]]
        entry["email_restrictions"] = [each for each in cleaned if each]
    entry["expires"] = _expiry(state, fields, entry["expires"])
    entry["meta_data"] = order_building.meta(state, entry["meta_data"], fields.get("meta_data"))


def _expiry(state: State, fields: dict[str, Any], held: int | None) -> int | None:
    # A time in date_expires is the shop's own, whatever the caller meant (woo:139); date_expires_gmt is ignored, the
    # coupon then never expires (storefront:039, storefront:111).
    if fields.get("date_expires"):
        return from_local(str(fields["date_expires"])[:19], state.zone)
    return held


def edit(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Change a coupon."""
    entry, fields = product_json.coupon(state, number), request.payload()
    _check(fields, entry["discount_type"])
    _fill(state, entry, fields)
    entry["modified"] = state.now()
    state.changed("coupon.updated", number)
    return _shown(state, request, entry)


def delete(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Move a coupon to the trash, or delete it with force; the answer shows it as it was (woo:149 and woo:150)."""
    entry = product_json.coupon(state, number)
    shown = _shown(state, request, entry)
    if request.flag("force"):
        del state.coupons[number]
    else:
        entry["status"] = "trash"
    state.changed("coupon.deleted", number)
    return shown
