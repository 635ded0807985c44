"""The order statuses of the shop, one of them from a plugin."""

from __future__ import annotations

STATUSES = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "shipped": "Spedito",
    "checkout-draft": "Draft",
}
# What a list may ask for, in the order the refusal names them (woo:197).
ASKABLE = ("any", "trash", "auto-draft", *STATUSES)


def label(status: str) -> str:
    """Return a status's name for people."""
    return STATUSES.get(status, status.capitalize())
