"""Webhooks of an order as the shop signs them, and what has been taken of them."""

from __future__ import annotations

from sqlalchemy import func, select

from integration.models import Delivery
from integration.pipeline.services import Services
from tests.bench.world import signed

SECRET = "the webhook secret"
ORDER = {
    "id": 1040,
    "number": "1040",
    "status": "completed",
    "date_created_gmt": "2026-11-20T11:00:00",
    "date_modified_gmt": "2026-11-20T11:30:00",
    "currency": "EUR",
    "total": "10.00",
    "billing": {"email": "a@example.com"},
    "line_items": [],
}


def sign(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return signed(body, secret)


def waiting(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0
