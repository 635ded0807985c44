"""How WordPress writes and reads values over REST: JSON with PHP's escapes, `_fields`, links and query strings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

EVERY_VERB = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def encode(value: Any) -> bytes:
    r"""Write JSON as PHP does: \u escapes for everything beyond ASCII and \/ for the slash (woo:330)."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("/", "\\/").encode("ascii")


def whole(number: float) -> float | int:
    """Give a number as PHP prints it: 49 rather than 49.0 (woo:007)."""
    return int(number) if number == int(number) else number


def pick(document: Any, fields: list[str]) -> Any:
    """Narrow a document to `_fields`, nested ones with dots, keeping the document's own order (woo:029)."""
    if not fields or not isinstance(document, dict):
        return document
    kept: dict[str, Any] = {}
    for key, value in document.items():
        deeper = [name[len(key) + 1 :] for name in fields if name.startswith(f"{key}.")]
        if key in fields:
            kept[key] = value
        elif deeper and isinstance(value, dict):
            kept[key] = pick(value, deeper)
        elif deeper and isinstance(value, list):
            kept[key] = [pick(entry, deeper) for entry in value]
    return kept


def names(value: Any) -> list[str]:
    """Split a `_fields` value (comma list or array) into names."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def parse_query(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Read query pairs as PHP does: the last one wins, `a[]` and `a[0]` make lists."""
    read: dict[str, Any] = {}
    for name, value in pairs:
        base, bracket, _ = name.partition("[")
        if not bracket:
            read[base] = value
            continue
        held = read.get(base)
        read[base] = [*(held if isinstance(held, list) else []), value]
    return read


def build_query(params: dict[str, Any]) -> str:
    """Write a query string as the Link header does: indexed lists, plus signs left alone (woo:016 and woo:033)."""
    parts: list[str] = []
    for name, value in params.items():
        if isinstance(value, list):
            parts += [f"{name}%5B{index}%5D={_coded(entry)}" for index, entry in enumerate(value)]
        else:
            parts.append(f"{name}={_coded(value)}")
    return "&".join(parts)


def _coded(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return quote_plus(str(value), safe="+*")


def links(root: str, place: str, item: int, allow: list[str] | None = None) -> dict[str, Any]:
    """Make `_links` of an item at root (…/wp-json) + place; self carries what may be done with it."""
    address = f"{root}{place}/{item}"
    return {
        "self": [{"href": address, "targetHints": {"allow": allow or EVERY_VERB}}],
        "collection": [{"href": f"{root}{place}"}],
    }
