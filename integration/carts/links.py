"""The link that brings a cart back: unguessable, kept only as a digest, the same for all announcements of one cart."""

from __future__ import annotations

from integration.models.cart import Cart
from integration.models.vault import Vault

PATH = "/recover/"


def token_of(vault: Vault, cart: Cart) -> str:
    """Return the token of a cart, 192 bits derived from SECRET_KEY: a link in an earlier mail goes on working."""
    return vault.token(f"cart {cart.connector_id} {cart.id} {cart.created_at.isoformat()}")


def url_of(base_url: str, token: str) -> str:
    """Return the address of a link."""
    return f"{base_url.rstrip('/')}{PATH}{token}"
