"""Making an order's document from what a shopper or an API client asks for: lines, taxes, totals."""

from __future__ import annotations

import random
import string
from decimal import Decimal
from typing import Any, Protocol

from integration.sandbox.store import coupon_codes, money, rest_format
from integration.sandbox.store.addresses import ORDER_PARTS, blank, fill
from integration.sandbox.store.taxes import Rate, rate_of

TEXTS = (
    "payment_method",
    "payment_method_title",
    "transaction_id",
    "customer_ip_address",
    "customer_user_agent",
    "customer_note",
    "cart_hash",
)


class OrderContext(Protocol):
    """What an order is composed with: the shop itself, or for a bulk order what makes it the same every time."""

    currency: str
    version: str
    chance: random.Random
    coupons: dict[int, dict[str, Any]]

    @property
    def is_ten(self) -> bool:
        """Say whether the shop is a WooCommerce 10."""

    def product(self, number: int) -> dict[str, Any] | None:
        """Return a product or variation that is not deleted."""

    def next_id(self, kind: str) -> int:
        """Return the next number of a kind."""


def order_key(chance: random.Random) -> str:
    """Return a key as in the payment link."""
    return "wc_order_" + "".join(chance.choices(string.ascii_letters + string.digits, k=13))


def compose(context: OrderContext, fields: dict[str, Any], via: str) -> dict[str, Any]:
    """Return the document of a new order; products that are unknown give an empty line (woo:159)."""
    billing = fill(blank(ORDER_PARTS, True), fields.get("billing"))
    document: dict[str, Any] = {
        "parent_id": 0,
        "currency": fields.get("currency") or context.currency,
        "version": context.version,
        "prices_include_tax": False,
        "order_key": order_key(context.chance),
        "billing": billing,
        "shipping": fill(blank(ORDER_PARTS, False), fields.get("shipping")),
        "created_via": fields.get("created_via") or via,
        "refunds": [],
        **{name: str(fields.get(name) or "") for name in TEXTS},
    }
    document["meta_data"] = meta(context, [], fields.get("meta_data"))
    _fill_lines(context, document, fields)
    return document


def meta(context: OrderContext, held: list[dict[str, Any]], given: Any) -> list[dict[str, Any]]:
    """Return meta data with the given entries changed (by id or key) or added; a null value takes one away."""
    kept = [dict(entry) for entry in held]
    for entry in given if isinstance(given, list) else []:
        found = next((each for each in kept if each["id"] == entry.get("id")), None)
        found = found or next((each for each in kept if each["key"] == entry.get("key")), None)
        if found is None:
            kept.append({"id": context.next_id("meta"), "key": entry.get("key", ""), "value": entry.get("value")})
        elif entry.get("value") is None:
            kept.remove(found)
        else:
            found["value"] = entry["value"]
    return kept


def _fill_lines(context: OrderContext, document: dict[str, Any], fields: dict[str, Any]) -> None:
    rate = rate_of(document["billing"]["country"])
    document["line_items"] = [line_item(context, rate, entry) for entry in fields.get("line_items") or []]
    document["shipping_lines"] = [shipping_line(context, rate, entry) for entry in fields.get("shipping_lines") or []]
    document["fee_lines"] = [_fee(context, entry) for entry in fields.get("fee_lines") or []]
    document["coupon_lines"] = []
    for entry in fields.get("coupon_lines") or []:
        _apply_coupon(context, document, rate, str(entry.get("code", "")))
    taxed = document["line_items"] or document["shipping_lines"]
    document["tax_lines"] = [tax_line(context, rate)] if taxed else []
    finish(context, document)


def finish(context: OrderContext, document: dict[str, Any]) -> None:
    """Set what follows from an order's lines."""
    document["needs_processing"] = any(_is_physical(context, line) for line in document["line_items"])
    total_up(document)


def line_item(context: OrderContext, rate: Rate, entry: dict[str, Any]) -> dict[str, Any]:
    """Return a line of products; `choices` replaces those of the variation, `subtotal` and `total` its price."""
    product = context.product(int(entry.get("variation_id") or entry.get("product_id") or 0))
    quantity = int(entry.get("quantity") or 1)
    price = money.amount(product["price"]) if product else Decimal(0)
    subtotal = money.amount(entry["subtotal"]) if "subtotal" in entry else price * quantity
    total = money.amount(entry["total"]) if "total" in entry else subtotal
    line = {
        "id": context.next_id("item"),
        "name": entry.get("name") or (line_name(context, product) if product else ""),
        "product_id": (product.get("parent_id") or product["id"]) if product else 0,
        "variation_id": product["id"] if product and product.get("parent_id") else 0,
        "quantity": quantity,
        "tax_class": "",
        "meta_data": entry["choices"] if "choices" in entry else _choices(context, product),
        "sku": product["sku"] if product else None,
        **({"global_unique_id": "" if product else None} if context.is_ten else {}),
        "image": {"id": "" if product and not product.get("parent_id") else 0, "src": ""},
        "parent_name": _parent_name(context, product),
    }
    return _priced(context, line, rate, subtotal, total)


def _tax_text(context: OrderContext, value: Decimal, rate: Rate) -> str:
    """Write the tax of one line: in whole cents on 10, to the last digit on 9.9.5 (storefront:055, storefront:126)."""
    if context.is_ten:
        return money.text(money.share(value, rate.percent))
    exact = (value * rate.percent / 100).normalize()
    return f"{exact:f}"


def _priced(
    context: OrderContext, line: dict[str, Any], rate: Rate, subtotal: Decimal, total: Decimal
) -> dict[str, Any]:
    line["subtotal"], line["subtotal_tax"] = money.text(subtotal), money.text(money.share(subtotal, rate.percent))
    line["total"], line["total_tax"] = money.text(total), money.text(money.share(total, rate.percent))
    before, after = _tax_text(context, subtotal, rate), _tax_text(context, total, rate)
    line["taxes"] = [{"id": rate.id, "total": after, "subtotal": before}]
    line["price"] = rest_format.whole(float(line["total"]) / line["quantity"]) if line["quantity"] else 0
    return line


def _parent_name(context: OrderContext, product: dict[str, Any] | None) -> str | None:
    parent = context.product(product.get("parent_id") or 0) if product else None
    return str(parent["name"]) if parent else None


def line_name(context: OrderContext, product: dict[str, Any]) -> str:
    """Return a product's name in orders, carts and parcels: a variation's choices stand behind its parent's."""
    parent = _parent_name(context, product)
    return f"{parent} - {product['name']}" if parent else str(product["name"])


def _choices(context: OrderContext, product: dict[str, Any] | None) -> list[dict[str, Any]]:
    if not product or not product.get("parent_id"):
        return []
    return [
        {
            "id": context.next_id("item_meta"),
            "key": choice["slug"],
            "value": choice["option"].lower(),
            "display_key": choice["name"],
            "display_value": choice["option"],
        }
        for choice in product["attributes"]
    ]


def shipping_line(context: OrderContext, rate: Rate, entry: dict[str, Any]) -> dict[str, Any]:
    """Return a line of shipping with its tax."""
    total = money.amount(entry.get("total"))
    tax = money.text(money.share(total, rate.percent))
    return {
        "id": context.next_id("item"),
        "method_title": entry.get("method_title", "Flat rate"),
        "method_id": entry.get("method_id", "flat_rate"),
        "instance_id": str(entry.get("instance_id", "1")),
        "total": money.text(total),
        "total_tax": tax,
        "taxes": [{"id": rate.id, "total": _tax_text(context, total, rate), "subtotal": ""}],
        "tax_status": "taxable",
        "meta_data": entry.get("meta_data") or [],
    }


def _fee(context: OrderContext, entry: dict[str, Any]) -> dict[str, Any]:
    total = money.amount(entry.get("total"))
    return {
        "id": context.next_id("item"),
        "name": entry.get("name", ""),
        "tax_class": "",
        "tax_status": "none",
        "amount": str(total.normalize()),
        "total": money.text(total),
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
    }


def tax_line(context: OrderContext, rate: Rate) -> dict[str, Any]:
    """Return the line of a tax rate; total_up fills its amounts in."""
    return {
        "id": context.next_id("item"),
        "rate_code": rate.code,
        "rate_id": rate.id,
        "label": rate.label,
        "compound": False,
        "tax_total": "0.00",
        "shipping_tax_total": "0.00",
        "rate_percent": int(rate.percent),
        "meta_data": [],
    }


def _is_physical(context: OrderContext, line: dict[str, Any]) -> bool:
    product = context.product(line["variation_id"] or line["product_id"])
    return product is not None and not (product["virtual"] and product["downloadable"])


def _apply_coupon(context: OrderContext, document: dict[str, Any], rate: Rate, code: str) -> None:
    coupon = coupon_codes.find(context.coupons, code)
    if coupon is None:
        return
    left = money.amount(coupon["amount"])
    taken = Decimal(0)
    for line in document["line_items"]:
        total = money.amount(line["total"])
        cut = money.share(total, left) if coupon["discount_type"] == "percent" else min(total, left - taken)
        taken += cut
        _priced(context, line, rate, money.amount(line["subtotal"]), total - cut)
    coupon["usage_count"] += 1
    document["coupon_lines"].append(coupon_line(context, coupon, taken, money.share(taken, rate.percent)))


def coupon_line(context: OrderContext, coupon: dict[str, Any], taken: Decimal, tax: Decimal) -> dict[str, Any]:
    """Return the line of a coupon that took so much off, and so much of the tax."""
    return {
        "id": context.next_id("item"),
        "code": coupon["code"],
        "discount": str(taken.normalize()) if taken else "0",
        "discount_tax": str(tax.normalize()) if tax else "0",
        "meta_data": [],
        "discount_type": coupon["discount_type"],
        "nominal_amount": rest_format.whole(float(coupon["amount"])),
        "free_shipping": coupon["free_shipping"],
    }


def total_up(document: dict[str, Any]) -> None:
    """Set the order's totals from its lines."""

    def summed(lines: str, *names: str) -> Decimal:
        return sum((money.amount(line[name]) for line in document[lines] for name in names), Decimal(0))

    cart_tax, shipping_tax = summed("line_items", "total_tax"), summed("shipping_lines", "total_tax")
    shipping = summed("shipping_lines", "total")
    totals = {
        "discount_total": summed("line_items", "subtotal") - summed("line_items", "total"),
        "discount_tax": summed("line_items", "subtotal_tax") - cart_tax,
        "shipping_total": shipping,
        "shipping_tax": shipping_tax,
        "cart_tax": cart_tax,
        "total": summed("line_items", "total") + summed("fee_lines", "total") + shipping + cart_tax + shipping_tax,
        "total_tax": cart_tax + shipping_tax,
    }
    document.update({name: money.text(value) for name, value in totals.items()})
    for line in document["tax_lines"]:
        line["tax_total"], line["shipping_tax_total"] = money.text(cart_tax), money.text(shipping_tax)
