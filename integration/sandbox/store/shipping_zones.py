"""Shipping zones and their methods as they are kept: one zone for everywhere with one flat rate, to begin with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

EVERYWHERE = "Locations not covered by your other zones"
FLAT, FREE = "flat_rate", "free_shipping"
FREE_REQUIRES = ("", "coupon", "min_amount", "either", "both")


@dataclass
class Method:
    """One way of shipping: its number, its kind (FLAT or FREE), and its settings as texts (cost, requires, …)."""

    id: int
    kind: str
    settings: dict[str, str] = field(default_factory=dict)
    enabled: bool = True

    @property
    def cost(self) -> Decimal:
        """Return the cost without tax."""
        return Decimal(self.settings.get("cost") or "0")


@dataclass
class Zone:
    """One zone: its number, its name, the countries it is for (none: all others), and its methods in their order."""

    id: int
    name: str
    countries: list[str] = field(default_factory=list)
    methods: list[Method] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """Return the zone as JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, saved: dict[str, Any]) -> Zone:
        """Make a zone from what dump() gave."""
        return cls(**{**saved, "methods": [Method(**each) for each in saved["methods"]]})


def usual() -> dict[int, Zone]:
    """Return the zones of the recorded shop: everywhere for 5.00 (storefront:005)."""
    return {0: Zone(0, EVERYWHERE, [], [Method(1, FLAT, {"title": "Flat rate", "cost": "5.00"})])}
