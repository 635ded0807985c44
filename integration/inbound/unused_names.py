"""WooCommerce's own names that nothing here needs: taken, so that its records can be sent as they are, and left out."""

from __future__ import annotations

CONTACT = frozenset(
    {
        "_links",
        "avatar_url",
        "date_created",
        "date_modified",
        "is_paying_customer",
        "last_order",
        "orders_count",
        "shipping",
        "total_spent",
        "username",
    }
)
LINE = frozenset(
    {
        "global_unique_id",
        "id",
        "image",
        "meta_data",
        "parent_name",
        "subtotal",
        "subtotal_tax",
        "tax_class",
        "taxes",
        "total_tax",
    }
)
COUPON = frozenset(
    {
        "discount",
        "discount_tax",
        "discount_type",
        "free_shipping",
        "id",
        "meta_data",
        "nominal_amount",
    }
)
ORDER = frozenset(
    {
        "_links",
        "cart_hash",
        "cart_tax",
        "currency_symbol",
        "customer_id",
        "customer_ip_address",
        "customer_note",
        "customer_user_agent",
        "date_completed",
        "date_created",
        "date_modified",
        "date_paid",
        "discount_tax",
        "fee_lines",
        "is_editable",
        "needs_payment",
        "needs_processing",
        "order_key",
        "parent_id",
        "payment_url",
        "prices_include_tax",
        "set_paid",
        "shipping",
        "shipping_lines",
        "shipping_tax",
        "shipping_total",
        "tax_lines",
        "total_tax",
        "transaction_id",
        "version",
    }
)
