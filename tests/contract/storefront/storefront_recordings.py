"""The recorded exchanges of the shopper's side, and how an answer is compared with one.

Kept out of the comparison is what a shop makes up (keys, tokens, numbers of lines, marks of carts) and its times.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "recordings" / "storefront"
HOME = "https://store.test"
MADE_UP = ("order_key", "cart_hash", "Nonce", "Nonce-Timestamp", "Cart-Token", "Cart-Hash")
LINES = ("key", "product_id", "rate_code", "method_title", "discount_tax")
KEPT_DATES = ("date_expires", "date_expires_gmt")
SAID = (
    "Allow",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Credentials",
    "Access-Control-Expose-Headers",
    "Access-Control-Allow-Headers",
    "Vary",
    "X-WP-Total",
    "X-WP-TotalPages",
    "User-ID",
    "X-Redirect-By",
)
# Of these only whether they are there is compared, and whether there is anything in them.
THERE = ("Nonce", "Nonce-Timestamp", "Cart-Token", "Cart-Hash", "Link", "Last-Modified")


@dataclass(frozen=True)
class Recording:
    """One exchange as recorded; of a webhook the request is what the shop sent."""

    number: int
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def path(self) -> str:
        """Return the request's path and query."""
        return str(self.request["path"])

    @property
    def body(self) -> Any:
        """Return the recorded JSON of the answer."""
        return json.loads(self.response["body"])

    def asked(self, name: str) -> str | None:
        """Return a header of the request."""
        return dict(map(tuple, self.request["headers"])).get(name)


@cache
def recording(number: int) -> Recording:
    """Return a recording by its number."""
    read = json.loads(next(FOLDER.glob(f"{number:03d}-*.json")).read_text("utf-8"))
    return Recording(number, read["request"], read["response"])


def comparable(value: Any, home: str) -> Any:
    """Return a JSON value without what a shop makes up."""
    if isinstance(value, dict):
        return {name: _masked(value, name, each, home) for name, each in value.items()}
    if isinstance(value, list):
        return [comparable(each, home) for each in value]
    if isinstance(value, str):
        return re.sub(r"wc_order_\w{13}", "wc_order_*", value.replace(home, HOME))
    return value


def _masked(entry: dict[str, Any], name: str, value: Any, home: str) -> Any:
    is_line = name == "id" and any(each in entry for each in LINES) and "quantity_limits" not in entry
    is_mark = name == "value" and str(entry.get("key", "")).endswith("_hash")
    is_date = name.startswith("date_") and name not in KEPT_DATES
    if name in MADE_UP or is_line or is_mark or is_date:
        return bool(value)
    return comparable(value, home)


def said(headers: list[tuple[str, str]], home: str) -> dict[str, Any]:
    """Return the headers that matter; of cookies the name, whether there is a value, and the attributes."""
    found: dict[str, Any] = {name: value.replace(home, HOME) for name, value in headers if name in SAID}
    found |= {f"{name}?": bool(value) for name, value in headers if name in THERE}
    found["cookies"] = sorted(_cookie(value) for name, value in headers if name == "Set-Cookie")
    return found


def _cookie(text: str) -> str:
    pair, *attributes = text.split("; ")
    name, _, value = pair.partition("=")
    kept = [each.lower() for each in attributes if not each.startswith("expires") and each != "secure"]
    name = re.sub(r"_[0-9a-f]{32}$", "", name)
    return f"{name}={'0' if value == '0' else '*'}; {'; '.join(kept)}"


def differences(ours: Any, theirs: Any, place: str = "") -> list[str]:
    """Return where two JSON values differ, by their places in it."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = [*theirs, *(name for name in ours if name not in theirs)]
        pairs = [(f"{place}.{name}", ours.get(name, "(none)"), theirs.get(name, "(none)")) for name in names]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{place}[{number}]", *pair) for number, pair in enumerate(zip(ours, theirs, strict=True))]
    else:
        return [] if ours == theirs else [f"{place}: {ours!r} and recorded {theirs!r}"]
    return [each for name, one, other in pairs for each in differences(one, other, name)]
