"""Options of a WordPress as people take them away: WP-CLI's JSON and CSV, and the rows of wp_options in an SQL dump."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NAME, _VALUE = "option_name", "option_value"
_COLUMNS = ("option_id", _NAME, _VALUE, "autoload")
_INSERT = re.compile(
    r"INSERT\s+(?:IGNORE\s+)?INTO\s+[`\"]?[\w.$`\"-]*options[`\"]?\s*(?:\(([^()]*)\)\s*)?VALUES\s*", re.I
)
_ITEM = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|(NULL|-?[\d.]+|0x[0-9a-f]+))\s*([,)])", re.I | re.DOTALL)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a", "b": "\b"}
_CSV_CELL_MAX_CHARS = 1_000_000


def of_json(value: Any) -> dict[str, Any] | None:
    """Return name -> value of WP-CLI's list or of a plain map of options, None for JSON that is neither."""
    if isinstance(value, Mapping) and "modules" not in value:
        return dict(value)
    if not isinstance(value, list) or not value or not all(isinstance(row, Mapping) and _NAME in row for row in value):
        return None
    return {str(row[_NAME]): row.get(_VALUE) for row in value}


def of_csv(text: str) -> dict[str, Any] | None:
    """Return name -> value of WP-CLI's CSV, None for a text without its columns."""
    if _NAME not in text.partition("\n")[0]:
        return None
    csv.field_size_limit(_CSV_CELL_MAX_CHARS)
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
    except csv.Error:
        return None
    return {str(row[_NAME]): row.get(_VALUE) for row in rows}


def of_sql(text: str) -> dict[str, Any] | None:
    """Return name -> value of the rows that a dump inserts into the options' table, None without such a row."""
    found: dict[str, Any] = {}
    for match in _INSERT.finditer(text):
        columns = [name.strip(' `"') for name in match[1].split(",")] if match[1] else _COLUMNS
        for row in _rows(text, match.end()):
            named = dict(zip(columns, row, strict=False))
            if named.get(_NAME) is not None:
                found[str(named[_NAME])] = named.get(_VALUE)
    return found or None


def _rows(text: str, at: int) -> Iterator[Sequence[str | None]]:
    """Yield the rows of one INSERT; one that is cut off ends them."""
    while text[at : at + 1] == "(":
        row: list[str | None] = []
        end, at = "", at + 1
        while end != ")":
            item = _ITEM.match(text, at)
            if item is None:
                return
            row.append(_plain(item))
            end, at = item[3], item.end()
        yield row
        rest = re.compile(r"\s*,\s*").match(text, at)
        at = rest.end() if rest else at


def _plain(item: re.Match[str]) -> str | None:
    if item[1] is None:
        return None if item[2].upper() == "NULL" else item[2]
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]) if found[1] else "'", item[1])
