"""The tax rates of the shop, as recorded (woo:136)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

BASE_COUNTRY = "IT"


@dataclass(frozen=True)
class Rate:
    """One rate: `percent` of the net price in a country, or everywhere else when the country is empty."""

    id: int
    country: str
    percent: Decimal
    label: str
    code: str

    def document(self) -> dict[str, Any]:
        """Return the rate as /taxes gives it."""
        return {
            "id": self.id,
            "country": self.country,
            "state": "",
            "postcode": "",
            "city": "",
            "rate": f"{self.percent:.4f}",
            "name": self.label,
            "priority": 1,
            "compound": False,
            "shipping": True,
            "order": self.id - 1,
            "class": "standard",
            "postcodes": [],
            "cities": [],
        }


RATES = (
    Rate(1, "IT", Decimal(22), "IVA", "IT-IVA-1"),
    Rate(2, "DE", Decimal(19), "MwSt.", "DE-MWST.-1"),
    Rate(3, "FR", Decimal(20), "TVA", "FR-TVA-1"),
    Rate(4, "", Decimal(0), "Zero", "ZERO-1"),
)


def rate_of(country: str) -> Rate:
    """Return the rate of a country; an order without one is taxed at home (woo:159)."""
    wanted = country or BASE_COUNTRY
    return next((rate for rate in RATES if rate.country == wanted), RATES[-1])
