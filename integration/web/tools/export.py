"""The filtered sync log as a stream: CSV whose cells cannot become formulas, or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from integration.models.database import Database
from integration.models.sync_log import SyncLogEntry
from integration.queries import sync_log
from integration.queries.sync_log_filters import LogQuery

MIMETYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
COLUMNS = ("time", "type", "object_id", "action", "status", "contact_id", "message")
Row = Mapping[str, object]
#: Spreadsheets read a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def stream(db: Database, query: LogQuery, form: str) -> Iterator[str]:
    """Yield the log as text, newest entry first, some hundred rows at a time."""
    return written(([_row(entry) for entry in entries] for entries in sync_log.walk(db, query)), COLUMNS, form)


def written(slices: Iterable[Sequence[Row]], columns: Sequence[str], form: str) -> Iterator[str]:
    """Yield rows as CSV with these columns, or as JSON lines."""
    if form == "csv":
        yield head(columns)
    for rows in slices:
        yield _csv_rows(rows, columns) if form == "csv" else _json_rows(rows)


def head(columns: Sequence[str]) -> str:
    """Return the first line of a CSV file, with the mark by which Excel knows that the text is UTF-8."""
    return "\ufeff" + ",".join(columns) + "\r\n"


def _row(entry: SyncLogEntry) -> Row:
    values = {name: getattr(entry, name) for name in COLUMNS if name != "time"}
    return {"time": entry.at.isoformat(timespec="seconds"), **values}


def _csv_rows(rows: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([[cell(row[name]) for name in columns] for row in rows])
    return text.getvalue()


def cell(value: object) -> str:
    """Return a value as a cell: an apostrophe in front keeps a spreadsheet from calculating it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json_rows(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
