"""Differences between two states, as the audit log keeps them: plain JSON without secrets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from integration.masking import is_secret, mask_value

CHANGED = "changed"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return {field: [before, after]} of the fields that differ; a field missing on one side is None there."""
    names = dict.fromkeys([*before, *after])
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def masked_diff(diff: Mapping[str, Any]) -> dict[str, Any]:
    """Return the diff ready for JSON, the values of secret-named fields replaced by "changed"."""
    return {name: CHANGED if is_secret(name) else mask_value(_plain(value)) for name, value in diff.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        # JSON knows no such numbers, and PostgreSQL refuses them.
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
