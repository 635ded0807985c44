"""The ways of paying that are switched on, the first being the one a checkout begins with (storefront:001)."""

from __future__ import annotations

GATEWAYS = {"bacs": "Direct bank transfer", "cod": "Cash on delivery"}
