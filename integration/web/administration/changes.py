"""The diff of an audit entry as people read it: before and after in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integration.operations.audit import CHANGED


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a diff; a secret has only `said`, "changed", and a plain fact only `after`."""

    name: str
    before: str | None = None
    after: str | None = None
    said: str = ""


def changes_of(diff: Mapping[str, Any]) -> list[Change]:
    """Return the lines of a diff as it is stored."""
    return [_change(name, value) for name, value in diff.items()]


def _change(name: str, value: Any) -> Change:
    if value == CHANGED or value == [CHANGED, CHANGED]:
        return Change(name, said=CHANGED)
    if isinstance(value, list) and len(value) == 2:
        return Change(name, in_words(value[0]), in_words(value[1]))
    return Change(name, after=in_words(value))


def in_words(value: Any) -> str:
    """Return a JSON value as a person would say it."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return ", ".join(str(each) for each in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
