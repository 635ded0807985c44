"""Corrections: values that a person gave instead of the store's, so that a refused record can be sent (X2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integration.digests import ROW
from integration.store.mapped_values import MAPPED

#: What names and dates a record stays as the store has it: another id would be another record. Nor does anybody
#: confirm a subscription in the subscriber's place.
FIXED = (
    "id",
    "number",
    "status",
    "customer_id",
    "date_created",
    "date_created_gmt",
    "date_modified_gmt",
    "confirmed",
    "confirmation_url",
    "asked_meta",
    "account",
    ROW,
)
_SCALARS = (str, int, float, bool, type(None))


def corrected(payload: Mapping[str, Any], corrections: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the payload with the values at the dotted paths replaced; a path that is not there any more is made."""
    if not corrections:
        return payload
    changed: dict[str, Any] = dict(payload)
    for path, value in corrections.items():
        _put(changed, path.split("."), value)
    return changed


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    first, *rest = path
    if not rest:
        target[first] = value
        return
    inner = target.get(first)
    target[first] = dict(inner) if isinstance(inner, Mapping) else {}
    # The names of mapped values are paths themselves.
    _put(target[first], [".".join(rest)] if first == MAPPED else rest, value)


def editable(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return dotted path -> text of the values that a person may correct: single values, not lists."""
    return {path: "" if value is None else str(value) for path, value in _walk(payload) if not _is_fixed(path)}


def _is_fixed(path: str) -> bool:
    return path in FIXED or path.partition(".")[0] in FIXED


def _walk(payload: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in payload.items():
        if isinstance(value, Mapping) and before != f"{MAPPED}.":
            yield from _walk(value, f"{before}{name}.")
        elif isinstance(value, _SCALARS):
            yield f"{before}{name}", value
