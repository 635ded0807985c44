"""The options of a run as a person types them (C6): checked one by one, each error at its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from integration import streams
from integration.errors import SettingError
from integration.models.run import RunKind
from integration.store.dates import lenient

KINDS = (RunKind.BULK, RunKind.FULL, RunKind.INITIAL, RunKind.INCREMENTAL)
ENTITIES = tuple(stream.module for stream in reversed(streams.STREAMS.values()))
FILTERS = ("since", "until", "ids", "statuses")
SWITCHES = ("resend", "dry_run", "payloads")
MOST_IDS = 1000
#: Years of a filter that a person can mean.
FIRST_YEAR, LAST_YEAR = 1970, 2999


@dataclass
class Typed:
    """What was typed: `options` ready for a run, `errors` by the name of the field."""

    kind: RunKind = RunKind.BULK
    options: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def read(form: Mapping[str, str], lists: Mapping[str, Sequence[str]], zone: str, statuses: Sequence[str]) -> Typed:
    """Return the options of a form; `lists` holds its fields of several values, `statuses` those the store knows."""
    typed = Typed()
    if form.get("kind") in set(KINDS):
        typed.kind = RunKind(form["kind"])
    else:
        typed.errors["kind"] = "Choose what kind of run it is."
    _entities(typed, lists.get("only", ()))
    _moments(typed, form, ZoneInfo(zone))
    _ids(typed, form.get("ids", ""))
    _statuses(typed, lists.get("statuses", ()), statuses)
    _page_size(typed, form.get("page_size", ""))
    typed.options |= {name: True for name in SWITCHES if form.get(name)}
    _fitting(typed)
    return typed


def _fitting(typed: Typed) -> None:
    """Refuse what would be passed over without a word or read as two things."""
    if typed.kind is RunKind.INCREMENTAL:
        sentence = "An incremental run reads all that changed since the last one; choose bulk to filter."
        typed.errors = {**{name: sentence for name in FILTERS if name in typed.options}, **typed.errors}
    if "ids" in typed.options and "only" not in typed.options and "only" not in typed.errors:
        typed.errors.setdefault("ids", "Choose contacts or orders alone: the same number is one of each.")


def _entities(typed: Typed, chosen: Sequence[str]) -> None:
    known = [name for name in ENTITIES if name in chosen]
    if not known:
        typed.errors["only"] = "Choose contacts, orders or both."
    elif len(known) < len(ENTITIES):
        typed.options["only"] = known


def _moments(typed: Typed, form: Mapping[str, str], zone: ZoneInfo) -> None:
    found: dict[str, datetime] = {}
    for name in ("since", "until"):
        text = form.get(name, "").strip()
        if not text:
            continue
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            typed.errors[name] = f"“{text[:40]}” is no time; write it like 2026-11-20T10:30."
            continue
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            typed.errors[name] = f"The year {at.year} cannot be meant; write one from {FIRST_YEAR} to {LAST_YEAR}."
            continue
        found[name] = at if at.tzinfo else at.replace(tzinfo=zone)
        typed.options[name] = found[name].isoformat()
    if len(found) == 2 and found["since"] >= found["until"]:
        typed.errors["until"] = "It must be later than “since”."


def _ids(typed: Typed, text: str) -> None:
    parts = [part.strip().lstrip("#") for part in text.replace("\n", ",").split(",") if part.strip()]
    if not parts:
        if text.strip():
            typed.errors["ids"] = f"“{text.strip()[:40]}” names no id; write numbers, or leave the field empty for all."
        return
    wrong = next((part for part in parts if not (part.isascii() and part.isdigit() and 0 < len(part) < 19)), None)
    if wrong is not None:
        typed.errors["ids"] = f"“{wrong}” is no id; write numbers with commas between them."
    elif len(parts) > MOST_IDS:
        typed.errors["ids"] = f"These are {len(parts):,} ids; at most {MOST_IDS:,} are taken at once."
    else:
        typed.options["ids"] = sorted({int(part) for part in parts})


def _statuses(typed: Typed, chosen: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [status for status in chosen if status not in known]:
        typed.errors["statuses"] = f"The store has no status “{unknown[0]}”."
    elif chosen:
        typed.options["statuses"] = list(chosen)


def _page_size(typed: Typed, text: str) -> None:
    text = text.strip()
    if not text:
        return
    if text.isascii() and text.isdigit() and len(text) < 5 and 10 <= int(text) <= 100:
        typed.options["page_size"] = int(text)
    else:
        typed.errors["page_size"] = "Write a number from 10 to 100."


def bounds(options: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Return the moments `since` and `until` of a stored run, aware; raises SettingError for what no run can take."""
    found: list[datetime | None] = []
    for name in ("since", "until"):
        text = str(options.get(name) or "")
        at = lenient(text)
        if text and (at is None or not FIRST_YEAR <= at.year <= LAST_YEAR):
            raise SettingError(name, f"“{text[:40]}” is no time that “{_LABELS[name]}” can be.", "Start a new run.")
        found.append(at)
    return found[0], found[1]


_LABELS = {
    "only": "only",
    "since": "changed since",
    "until": "changed before",
    "ids": "ids",
    "statuses": "statuses",
    "page_size": "page size",
    "resend": "unchanged too",
    "dry_run": "dry run",
    "payloads": "payload files",
}


def described(options: Mapping[str, Any]) -> list[tuple[str, str | datetime]]:
    """Return the options of a run as label and value for people, "" for the switches; others are left as they are."""
    return [(_LABELS.get(name, name), _described(name, value)) for name, value in options.items() if value]


def _described(name: str, value: Any) -> str | datetime:
    if name in SWITCHES:
        return ""
    if name in ("since", "until"):
        at = lenient(str(value))
        return at if at and FIRST_YEAR <= at.year <= LAST_YEAR else str(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
