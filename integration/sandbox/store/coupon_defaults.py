"""A new coupon, before its fields are set."""

from __future__ import annotations

from typing import Any


def blank_coupon(number: int, code: str, now: int) -> dict[str, Any]:
    """Return a coupon with WooCommerce's defaults, in the sequence of its fields (woo:206)."""
    return {
        "id": number,
        "code": code,
        "amount": "0.00",
        "status": "publish",
        "created": now,
        "modified": now,
        "discount_type": "fixed_cart",
        "description": "",
        "expires": None,
        "usage_count": 0,
        "individual_use": False,
        "product_ids": [],
        "excluded_product_ids": [],
        "usage_limit": None,
        "usage_limit_per_user": None,
        "limit_usage_to_x_items": None,
        "free_shipping": False,
        "product_categories": [],
        "excluded_product_categories": [],
        "exclude_sale_items": False,
        "minimum_amount": "0.00",
        "maximum_amount": "0.00",
        "email_restrictions": [],
        "used_by": [],
        "meta_data": [],
    }
