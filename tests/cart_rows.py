"""Carts as the book has them, for tests that do not go the way of the capture."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integration.carts import links
from integration.digests import digest
from integration.identity import person_key_of
from integration.models import Cart, CartState
from integration.pipeline.services import Services

ANNA = "anna@shop.example"


def keep(session: Session, connector_id: int, at: datetime, **values: Any) -> Cart:
    """Keep a cart that the script told of then, in Mautic since unless another state is said."""
    given = {"email": ANNA, "state": CartState.SYNCED, "source": "script", "key": secrets.token_urlsafe(18)}
    given |= {"created_at": at, "changed_at": at, "seen_at": at} | values
    cart = Cart(connector_id=connector_id, person_key=person_key_of(given["email"]), **given)
    session.add(cart)
    session.flush()
    return cart


def link(services: Services, cart: Cart, base_url: str = "") -> str:
    """Give a cart its link and return that."""
    token = links.token_of(services.vault, cart)
    cart.token_digest = digest(token)
    return links.url_of(base_url, token)
