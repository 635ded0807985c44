"""The rows of a list: those that have an id, and those that nobody can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from integration.errors import IntegrationError, Rejected
from integration.http.transport import Answer
from integration.store.access import SERVICE
from integration.store.answers import refused
from integration.store.php_values import whole
from integration.store.sanitizing import INTEGER_MAX

Row = dict[str, Any]
#: What could not be had, and why.
Failure = tuple[str, IntegrationError]


def rows_of(value: Any, answer: Answer) -> list[Any]:
    """Return the answer's value as a list, its entries as they came; raises the error that anything else stands for.

    PHP writes a list with holes as a map of its entries.
    """
    if isinstance(value, dict) and value and all(isinstance(entry, dict) for entry in value.values()):
        return list(value.values())
    if not isinstance(value, list):
        raise refused(answer)
    return value


def sifted(entries: Sequence[Any]) -> tuple[list[Row], list[int]]:
    """Return the records that have an id, each once with it as a number, and the places of entries without one."""
    rows: dict[int, Row] = {}
    odd: list[int] = []
    for place, entry in enumerate(entries):
        number = row_id(entry) if isinstance(entry, dict) else 0
        if number:
            rows.setdefault(number, entry if entry["id"] is number else {**entry, "id": number})
        else:
            odd.append(place)
    return list(rows.values()), odd


def row_id(row: Mapping[str, Any]) -> int:
    """Return a record's id, 0 for what is none: true, 1.5, a word, nothing, or more than any column holds.

    A whole number is taken as text too, as plugins that change the API's answers write it.
    """
    number = whole(row.get("id"))
    return number if number <= INTEGER_MAX else 0


def oddities(path: str, positions: Iterable[int]) -> list[Failure]:
    """Return the failures of entries without an id at these positions of a list, 0 for the first."""
    noun = path.rstrip("s")
    hint = "Look at it in the store, and for a plugin that changes the answers of the API."
    error = Rejected(SERVICE, "no_id", "It has no id, so it cannot be told apart from others.", hint)
    return [(f"the {noun} at position {position + 1}", error) for position in positions]
