"""The names of our own contact fields, and the names that Mautic makes of them."""

from __future__ import annotations

from collections.abc import Container

ORDER_DATA = "mautic_woo_order_data"
TOTAL_SPENT = "mautic_woo_total_spent"
ORDER_COUNT = "mautic_woo_order_count"
LAST_ORDER = "mautic_woo_last_order_date"
FIRST_ORDER = "mautic_woo_first_order_date"
AVERAGE = "mautic_woo_avg_order_value"
CART_DATA = "mautic_woo_cart_data"
RECOVERY_URL = "mautic_woo_recovery_url"
RFM = "mautic_woo_rfm"
RFM_SEGMENT = "mautic_woo_rfm_segment"
CURRENCY_TOTALS = "mautic_woo_totals_by_currency"
COUPON_CODE = "mautic_woo_coupon_code"
CART_HTML = "mautic_woo_cart_html"

#: Fields that hold JSON: with `items` it is shortened by whole items, any other is left out where it does not fit.
JSON = frozenset({ORDER_DATA, CART_DATA, CURRENCY_TOTALS})
#: Mautic cuts an alias here (mautic:260) and takes a `_` at the end away.
ALIAS_MAX_CHARS = 25


def cut(alias: str) -> str:
    """Return the alias that Mautic gives a field made with this one (mautic:260)."""
    return alias[:ALIAS_MAX_CHARS].rstrip("_")


def actual(alias: str, known: Container[str]) -> str | None:
    """Return the alias under which Mautic has the field: as wanted or cut, None when it has neither."""
    return next((name for name in (alias, cut(alias)) if name in known), None)
