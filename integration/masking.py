"""Masks secrets before anything is written: log, payload file, error text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

_SECRET_KEYS = re.compile(
    r"authorization|password|passwd|secret|token|consumer_key|consumer_secret|client_id|api_?key|cookie|signature|nonce",
    re.IGNORECASE,
)
_PAIRS = re.compile(
    r"((?:consumer_key|consumer_secret|access_token|refresh_token|client_id|client_secret|password|oauth_[a-z_]+|token)"
    r"(?:%3D|=|\"\s*:\s*\"))([^&\s\"'<>]+)",
    re.IGNORECASE,
)
_KEYS = re.compile(r"\b(c[ks]_)[0-9a-fA-F]{8,}\b")
_SCHEMES = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)
_USERINFO = re.compile(r"(https?://)[^/\s@:]+:[^/\s@]+@", re.IGNORECASE)


def mask_text(text: str) -> str:
    """Return the text with keys, tokens, passwords and user info in addresses replaced by ***."""
    text = _PAIRS.sub(rf"\g<1>{MASK}", text)
    text = _KEYS.sub(rf"\g<1>{MASK}", text)
    text = _SCHEMES.sub(rf"\g<1> {MASK}", text)
    return _USERINFO.sub(rf"\g<1>{MASK}@", text)


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with every secret-bearing value replaced by ***."""
    return {name: MASK if _SECRET_KEYS.search(name) else mask_text(value) for name, value in headers.items()}


def mask_value(value: Any) -> Any:
    """Return a JSON value with the values of secret-named keys replaced, at any depth."""
    if isinstance(value, Mapping):
        return {key: MASK if _is_secret(key, inner) else mask_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask_value(inner) for inner in value]
    return mask_text(value) if isinstance(value, str) else value


def _is_secret(key: object, inner: object) -> bool:
    return isinstance(key, str) and bool(_SECRET_KEYS.search(key)) and isinstance(inner, str) and bool(inner)
