"""The diff of an audit entry as people read it: before and after in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integration.operations.audit import CHANGED
from integration.pipeline.runs import options as run_options
from integration.web.frame import filters


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a diff; a secret has only `said`, "changed", and a plain fact only `after`."""

    name: str
    before: str | None = None
    after: str | None = None
    said: str = ""


def changes_of(diff: Mapping[str, Any]) -> list[Change]:
    """Return the lines of a diff as it is stored; a value with parts has a line for each of them."""
    return [line for name, value in diff.items() for line in _changes(name, filters.named(name), value)]


def _changes(key: str, name: str, value: Any) -> Iterator[Change]:
    if value == CHANGED or value == [CHANGED, CHANGED]:
        yield Change(name, said=CHANGED)
        return
    pair = value if isinstance(value, list) and len(value) == 2 else [None, value]
    if key == "options" and isinstance(pair[1], dict):
        yield Change(name, after=_options(pair[1]))
    elif any(isinstance(side, dict) for side in pair) and all(isinstance(side, dict | None) for side in pair):
        yield from _parts(name, pair[0] or {}, pair[1] or {})
    else:
        yield Change(name, in_words(pair[0]) if pair is value else None, in_words(pair[1]))


def _parts(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for part in sorted(before.keys() | after.keys()):
        if before.get(part) != after.get(part):
            yield Change(f"{name}, {part}", in_words(before.get(part)), in_words(after.get(part)))


def _options(options: Mapping[str, Any]) -> str:
    told = run_options.described(options)
    said = [f"{word} {value if isinstance(value, str) else filters.local(value)}".strip() for word, value in told]
    return "; ".join(said) or in_words(None)


def in_words(value: Any) -> str:
    """Return a JSON value as a person would say it."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(each)}" for name, each in value.items())
    return "; ".join(map(in_words, value)) if _nested(value) else _plain(value)


def _nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, list | dict) for each in value)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
