"""Addresses, names and e-mail addresses as WooCommerce takes and spoils them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from integration.sandbox.store import emails
from integration.sandbox.store.problems import invalid

ORDER_PARTS = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
ACCOUNT_PARTS = ("first_name", "last_name", "company", "address_1", "address_2", "city", "postcode", "country", "state")


def blank(parts: tuple[str, ...], email: bool) -> dict[str, str]:
    """Return an empty address; orders and accounts have their parts in another sequence (woo:152 and woo:160)."""
    names = (*parts, "email", "phone") if email else (*parts, "phone")
    return dict.fromkeys(names, "")


def fill(address: dict[str, str], given: Any) -> dict[str, str]:
    """Return the address with the given parts in it; unknown parts are dropped."""
    if not isinstance(given, dict):
        return address
    return {name: str(given.get(name, held) or "") for name, held in address.items()}


def check_billing(given: Any) -> None:
    """Refuse a billing block with a broken e-mail (woo:158); an empty one is fine."""
    email = given.get("email") if isinstance(given, dict) else None
    if email and not emails.is_valid(str(email)):
        raise invalid([("billing", "rest_invalid_email", "Invalid email address.", None)])


def account_name(raw: str) -> str:
    """Return what WordPress keeps of an account's name: tags, backslashes and %xx gone, & and > encoded.

    The billing name of the same person stays as it was typed (woo:103, woo:110 and woo:111).
    """
    # A script goes with what is in it; other tags leave their text behind.
    text = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", raw, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", text).replace("\\", "")
    text = re.sub(r"%[a-fA-F0-9]{2}", "", text)
    text = re.sub(r"[\r\n\t ]+", " ", text).strip(" ")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def account_email(raw: str) -> str:
    """Return an account's e-mail after WordPress has saved the user again: one with an & is lost (woo:109)."""
    return "" if "&" in raw else raw[:100]


def avatar(email: str) -> str:
    """Return the address of the account's picture."""
    mark = hashlib.sha256(email.strip().lower().encode()).hexdigest() if email else ""
    return f"https://secure.gravatar.com/avatar/{mark}?s=96&d=mm&r=g"
