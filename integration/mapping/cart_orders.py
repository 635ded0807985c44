"""When an order means that a cart was bought: what counts as placed, and whose cart it was (P60, X15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from integration.mapping.orders import DRAFTS

#: Proofs that an order is a cart's, the strongest first (storefront.md, "What follows for us").
PROOFS: Mapping[str, str] = {
    "order": "the draft of this cart became the order",
    "coupon": "the order used this cart's coupon",
    "campaign": "the buyer came by this cart's link",
    "email": "an order of the same address came after the cart",
}
#: What utm_campaign says before the cart's id.
CAMPAIGN = "cart-{}"
#: WooCommerce's own field at the checkout, where the shop's snippet has it drawn, and what it is called in the meta
#: data of a draft or order; "1" is ticked (storefront.md).
CONSENT_FIELD = "woo-mautic/cart-reminder"
CONSENT_META = f"_wc_other/{CONSENT_FIELD}"
#: Statuses of orders that somebody may come back to: not placed, not paid yet, or the payment failed.
UNFINISHED = (DRAFTS[0], "pending", "failed")
#: Two clocks may differ by so much before an order is taken for older than the cart.
CLOCKS_DIFFER = timedelta(minutes=10)
#: Statuses of orders that nobody has placed, or that came to nothing.
_NOT_PLACED = (*DRAFTS, "trash", "failed", "cancelled")


def is_placed(status: str, *, own: bool) -> bool:
    """Tell whether an order of this status was placed; a cart's `own` unpaid order is what it was left as."""
    return status not in _NOT_PLACED and not (own and status == "pending")


def is_later(ordered_at: datetime | None, cart_since: datetime | None) -> bool:
    """Tell whether an order was placed after the cart was first seen, clocks being what they are."""
    return ordered_at is not None and cart_since is not None and ordered_at >= cart_since - CLOCKS_DIFFER
