"""Shops of any settings and orders, for what must hold whatever a shop is like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.pipeline.door_changes import configured
from tests.pipeline.door_shop import Shop

SETTINGS: Mapping[str, list[Any]] = {
    "orders.general_tags": [["buyer"], [], ["mug_completed"], ["Müg"]],
    "orders.product_tags": [True, False],
    "orders.product_id_tags": [True, False],
    "orders.remove_completed_tag": [True, False],
    "orders.statuses": [["completed"], ["completed", "processing"], ["completed", "refunded", "cancelled", "failed"]],
    "orders.paid_statuses": [["completed"], ["processing"]],
    "orders.sku_filter": [[], ["SKU-012"]],
    "orders.order_data": [True, False],
    "orders.notes": [True, False],
    "orders.segments": [{}, {"completed": 1}],
    "contacts.roles": [["customer"], ["shop_manager"]],
    "contacts.enabled": [True, False],
    "carts.enabled": [True, False],
    "consent.enabled": [False, True],
    "sync.policy": ["store", "mautic", "fill"],
    "naming.name_space": ["", "de"],
    "mapping.rows": [[], [{"kind": "order", "source": "customer_note", "alias": "company"}]],
}
ORDERS = ("order", "later", "other")
NAMES = ("Ada", "", "<b>Ada</b>", "Zoë", "x" * 100)
FIELDS: Mapping[str, list[Any]] = {
    "status": ["completed", "processing", "refunded", "cancelled", "failed"],
    "date_created_gmt": ["2026-11-01T09:00:00", "2026-10-01T09:00:00", "2026-11-05T09:00:00"],
    "date_modified_gmt": ["2026-11-01T09:00:00", "2026-11-06T09:00:00"],
    "date_completed_gmt": [None, "2026-11-06T09:00:00"],
    "total": ["19.00", "0.50", "0"],
    "currency": ["EUR", "USD", ""],
    "customer_note": ["", "ring twice"],
    "coupon_lines": [[], [{"code": "RECOVER-1"}]],
}


def drawn(shop: Shop, data: st.DataObject) -> None:
    """Let the shop be another one: its settings, its orders and how many are on a page."""
    chosen = data.draw(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in SETTINGS.items()}))
    chosen["consent.order_field"] = "optin"
    configured(**{name.replace(".", "__"): value for name, value in chosen.items()})(shop)
    shop.list_fields()
    shop.per_page = data.draw(st.sampled_from((1, 2, 100)))
    for name in ORDERS:
        row = shop.rows[name]
        fields = data.draw(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in FIELDS.items()}))
        billing = {"first_name": data.draw(st.sampled_from(NAMES)), "country": data.draw(st.sampled_from(("IT", "XX")))}
        sku, title = (
            data.draw(st.sampled_from(("SKU-012", "", "Müg", "mug"))),
            data.draw(st.sampled_from(("Müg", "Mug"))),
        )
        items = [{**row["line_items"][0], "sku": sku, "name": title}]
        shop.rows[name] = {**row, **fields, "line_items": items, "billing": {**row["billing"], **billing}}
    for name in data.draw(st.lists(st.sampled_from(("customer", "other")), max_size=1)):
        shop.rows[name] = of_other(shop.rows[name])


def of_other(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as that of the other of both people."""
    email = "bob@example.com" if "line_items" not in row else "ada@example.com"
    return {**row, "email": email, "billing": {**row["billing"], "email": email}}
