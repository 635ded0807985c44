"""The options of a run (C6): one model for page, command line and API, each error at its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from integration import streams
from integration.errors import SettingError
from integration.field_errors import NAME_SHOWN_MAX_CHARS, Unusable, by_field, titles
from integration.models.run import RunKind
from integration.store.dates import lenient

KINDS = (RunKind.BULK, RunKind.FULL, RunKind.INITIAL, RunKind.INCREMENTAL)
_MODULES = (stream.module for stream in reversed(streams.STREAMS.values()) if not stream.kept_here)
ENTITIES = tuple(dict.fromkeys(_MODULES))
SWITCHES = ("resend", "dry_run", "payloads")
IDS_MAX = 1000
ID_MAX = 10**18 - 1
PAGE_ROWS_MIN, PAGE_ROWS_MAX = 10, 100
#: Years of a filter that a person can mean.
FIRST_YEAR, LAST_YEAR = 1970, 2999


def _kind(value: Any) -> RunKind:
    if not isinstance(value, str) or value not in set(KINDS):
        raise Unusable("Choose what kind of run it is.")
    return RunKind(value)


def _entities(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(each in ENTITIES for each in value):
        raise Unusable("Choose contacts, orders or both.")
    return [name for name in ENTITIES if name in value]


def _moment(value: Any, info: ValidationInfo) -> datetime | None:
    """Return a moment; one without an offset is in the zone of the store."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        shown = str(value)[:NAME_SHOWN_MAX_CHARS]
        raise Unusable(f"“{shown}” is no time; write it like 2026-11-20T10:30.") from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Unusable(f"The year {at.year} cannot be meant; write one from {FIRST_YEAR} to {LAST_YEAR}.")
    return at if at.tzinfo else at.replace(tzinfo=_context(info).zone)


def checked_ids(value: Any, most: int = IDS_MAX) -> list[int]:
    """Return ids in their order, each once; raises Unusable, for an empty list too, since it must not mean all."""
    if not isinstance(value, list) or not value or not all(type(each) is int for each in value):
        raise Unusable("“ids” must be a list of numbers, and not empty.")
    wrong = next((each for each in value if not 0 <= each <= ID_MAX), None)
    if wrong is not None:
        raise Unusable(f"“{str(wrong)[:NAME_SHOWN_MAX_CHARS]}” is no id; write numbers with commas between them.")
    if len(value) > most:
        raise Unusable(f"These are {len(value):,} ids; at most {most:,} are taken at once.")
    return sorted(set(value))


def _statuses(value: Any, info: ValidationInfo) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise Unusable("“statuses” must be a list of texts, and not empty.")
    known = _context(info).statuses
    if unknown := [each for each in value if each not in known]:
        raise Unusable(f"The store has no status “{unknown[0][:NAME_SHOWN_MAX_CHARS]}”.")
    return list(dict.fromkeys(value))


def _page_size(value: Any) -> int | None:
    if value is not None and not (type(value) is int and PAGE_ROWS_MIN <= value <= PAGE_ROWS_MAX):
        raise Unusable(f"Write a number from {PAGE_ROWS_MIN} to {PAGE_ROWS_MAX}.")
    return value


def _fits_kind(value: Any, info: ValidationInfo) -> Any:
    if value is not None and info.data.get("kind") is RunKind.INCREMENTAL:
        raise Unusable("An incremental run reads all that changed since the last one; choose bulk to filter.")
    return value


def _later(until: datetime | None, info: ValidationInfo) -> datetime | None:
    since = info.data.get("since")
    if until is not None and since is not None and since >= until:
        raise Unusable("It must be later than “since”.")
    return until


def _of_one_entity(ids: list[int], info: ValidationInfo) -> list[int]:
    # Where `only` is wrong itself, its own error is enough.
    if len(info.data.get("only", ())) == len(ENTITIES):
        raise Unusable("Choose contacts or orders alone: the same number is one of each.")
    return ids


@dataclass(frozen=True)
class Surroundings:
    """What the values are checked against: the zone of moments without an offset, the statuses the store knows."""

    zone: ZoneInfo
    statuses: Sequence[str]


def _context(info: ValidationInfo) -> Surroundings:
    return info.context if isinstance(info.context, Surroundings) else Surroundings(ZoneInfo("UTC"), ())


_WHEN = WithJsonSchema(
    {"type": ["string", "null"], "description": "A moment like 2026-11-20T10:30; without an offset in the shop's zone."}
)


class RunOptions(BaseModel):
    """What a run is asked to do; a filter that is left out means all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[
        RunKind,
        BeforeValidator(_kind),
        WithJsonSchema({"type": "string", "enum": [each.value for each in KINDS]}),
        Field(title="Kind"),
    ]
    only: Annotated[list[Literal["contacts", "orders"]], BeforeValidator(_entities), Field(min_length=1)] = Field(
        default=["contacts", "orders"], title="Entities"
    )
    since: Annotated[datetime | None, BeforeValidator(_moment), AfterValidator(_fits_kind), _WHEN] = Field(
        default=None, title="Changed since"
    )
    until: Annotated[
        datetime | None,
        BeforeValidator(_moment),
        AfterValidator(_fits_kind),
        AfterValidator(_later),
        _WHEN,
    ] = Field(default=None, title="Changed before")
    ids: Annotated[
        list[Annotated[int, Field(ge=0, le=ID_MAX)]],
        BeforeValidator(lambda value: checked_ids(value)),
        AfterValidator(_fits_kind),
        AfterValidator(_of_one_entity),
        Field(min_length=1, max_length=IDS_MAX),
    ] = Field(default=[], title="Only these ids")
    statuses: Annotated[list[str], BeforeValidator(_statuses), AfterValidator(_fits_kind), Field(min_length=1)] = Field(
        default_factory=list, title="Order statuses"
    )
    page_size: Annotated[
        Annotated[int, Field(ge=PAGE_ROWS_MIN, le=PAGE_ROWS_MAX)] | None, BeforeValidator(_page_size)
    ] = Field(default=None, title="Page size")
    resend: bool = Field(default=False, strict=True, title="Send unchanged too")
    dry_run: bool = Field(default=False, strict=True, title="Dry run")
    payloads: bool = Field(default=False, strict=True, title="Store payload files")

    def stored(self) -> dict[str, Any]:
        """Return the options as a run keeps them, as JSON; what means all, or no, is left out."""
        values = self.model_dump(mode="json", exclude={"kind"}, exclude_defaults=True)
        values |= {name: at.isoformat() for name in ("since", "until") if (at := getattr(self, name))}
        return {name: value for name, value in values.items() if value}


def checked(values: Mapping[str, Any], zone: str, statuses: Sequence[str]) -> RunOptions:
    """Return the options of a body; raises ValidationError, whose sentences are for people."""
    return RunOptions.model_validate(dict(values), context=Surroundings(ZoneInfo(zone), statuses))


@dataclass
class Typed:
    """What was typed: `options` ready for a run, `errors` by the name of the field."""

    kind: RunKind = RunKind.BULK
    options: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def read(typed: Mapping[str, Any], zone: str, statuses: Sequence[str]) -> Typed:
    """Return the options of a form: texts, lists and switches by name; `statuses` are those the store knows."""
    errors: dict[str, str] = {}
    values: dict[str, Any] = {"kind": typed.get("kind", ""), "only": list(typed.get("only") or ())}
    values |= {name: text for name in ("since", "until") if (text := str(typed.get(name) or "").strip())}
    values |= {name: True for name in SWITCHES if typed.get(name)}
    if chosen := list(typed.get("statuses") or ()):
        values["statuses"] = chosen
    try:
        values |= _typed_ids(str(typed.get("ids") or ""))
    except Unusable as error:
        errors["ids"] = error.message()
    if size := str(typed.get("page_size") or "").strip():
        values["page_size"] = int(size) if size.isascii() and size.isdigit() and len(size) < 5 else size
    try:
        options = checked(values, zone, statuses)
    except ValidationError as error:
        return Typed(errors=by_field(error) | errors)
    return Typed(options.kind, options.stored(), errors)


def _typed_ids(text: str) -> dict[str, list[int]]:
    """Return the ids of a text with commas or lines, nothing for an empty one; raises Unusable."""
    parts = [part.strip().lstrip("#") for part in text.replace("\n", ",").split(",") if part.strip()]
    if not parts and text.strip():
        shown = text.strip()[:NAME_SHOWN_MAX_CHARS]
        raise Unusable(f"“{shown}” names no id; write numbers, or leave the field empty for all.")
    wrong = next((part for part in parts if not (part.isascii() and part.isdigit() and len(part) < 19)), None)
    if wrong is not None:
        raise Unusable(f"“{wrong[:NAME_SHOWN_MAX_CHARS]}” is no id; write numbers with commas between them.")
    return {"ids": [int(part) for part in parts]} if parts else {}


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


_LABELS = {name: title[0].lower() + title[1:] for name, title in titles(RunOptions).items()}


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
