"""A shopper's session as it is kept: what lies in the cart, who it is for, and the draft order made of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from integration.sandbox.store.addresses import ORDER_PARTS, blank

# Where a visitor of whom nothing is known is taken to live: the shop's own place (storefront:001).
HOME = {"state": "RM", "country": "IT"}


@dataclass
class Item:
    """One line of a cart: product and variation (0 for none) by id, pieces, and the choices made.

    `choices` maps attribute names as in a link (attribute_colore) to values as in a link, sorted by name.
    """

    product_id: int
    variation_id: int
    quantity: int
    choices: dict[str, str] = field(default_factory=dict)


def _unknown(email: bool) -> dict[str, str]:
    return blank(ORDER_PARTS, email) | HOME


@dataclass
class Session:
    """One shopper's session; `key` is t_ and 30 hex digits for a guest, an account's number for one who is logged in.

    `expires` is in epoch seconds; `items` are by the key of the line; `coupons` are codes as the cart shows them;
    `draft` is the id of its draft order or 0; `rate` is the shipping rate that was chosen, such as flat_rate:1;
    `known_orders` are those this browser placed; `notices` wait for the next page, each a kind and a text of HTML.
    """

    key: str
    expires: int = 0
    items: dict[str, Item] = field(default_factory=dict)
    coupons: list[str] = field(default_factory=list)
    billing: dict[str, str] = field(default_factory=lambda: _unknown(True))
    shipping: dict[str, str] = field(default_factory=lambda: _unknown(False))
    draft: int = 0
    rate: str = ""
    known_orders: list[int] = field(default_factory=list)
    notices: list[list[str]] = field(default_factory=list)

    @property
    def customer_id(self) -> int:
        """Return the account's number, 0 for a guest."""
        return int(self.key) if self.key.isdigit() else 0

    @property
    def email(self) -> str:
        """Return the e-mail the shop knows of this shopper, or nothing."""
        return self.billing["email"]

    def dump(self) -> dict[str, Any]:
        """Return the session as JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, saved: dict[str, Any]) -> Session:
        """Make a session from what dump() gave."""
        items = {key: Item(**each) for key, each in saved["items"].items()}
        return cls(**{**saved, "items": items})
