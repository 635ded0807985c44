"""Filters of URLs as models: each value is checked, and one that cannot be used is left out with a notice.

A page that lists something says what of it in its URL, which people edit and share. So reading is lenient, as
`UrlFilter.from_url` has it, while whoever changes something by a filter refuses it when there is any notice, and
machines are refused what `UrlFilter.wrong` names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from integration.field_errors import NAME_SHOWN_MAX_CHARS, Unusable

#: Longest text of a filter that is looked for.
FILTER_MAX_CHARS = 254
ID_MAX_DIGITS = 18
NUMBER_MAX = 10**15
PAGE_MAX = 10**9
#: The correlation id of a run, or its beginning: lists show the first eight characters.
CORRELATION = re.compile("[0-9a-f]{6}[0-9a-f-]{0,30}")
LEFT_OUT = "That filter was left out."
#: A number that is below all bounds, or has more digits than any id.
_WHOLE = re.compile("-?[0-9]+")
_DAY_MIN, _DAY_MAX = date(2000, 1, 1), date(2999, 12, 30)
_YEAR_MIN, _YEAR_MAX = 2000, 2998


def id_of(text: str) -> int | None:
    """Return the id that a text is, None for any other text and for more digits than an id has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= ID_MAX_DIGITS else None


def left_out(reason: str) -> Unusable:
    """Return the error for a value that is left out, with the reason as a sentence without its full stop."""
    return Unusable(f"{reason}.", LEFT_OUT)


@dataclass(frozen=True)
class Parameter:
    """A value of a URL: how its text is read, how it is written again, and its JSON schema."""

    def read(self, name: str, text: str, zone: ZoneInfo) -> Any:
        """Return the value of a text that is not empty; raises Unusable."""
        return text

    def read_exactly(self, name: str, text: str, zone: ZoneInfo) -> Any:
        """Return the value of a text that means nothing but this value; raises Unusable for any other."""
        return self.read(name, text, zone)

    def write(self, value: Any) -> str:
        """Return the value as a URL has it."""
        return str(value)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the text."""
        return {"type": "string", "maxLength": FILTER_MAX_CHARS}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read texts before the field's own type is checked; values of code are taken as they are."""

        def check(value: Any, info: ValidationInfo) -> Any:
            if not isinstance(value, str) or not value:
                return value
            zone = (info.context or {}).get("zone") or ZoneInfo("UTC")
            return self.read(info.field_name or "", value, zone)

        return core_schema.with_info_before_validator_function(check, handler(source))


@dataclass(frozen=True)
class SearchedText(Parameter):
    """A text that is looked for; `lead` are characters before it that people type and nobody stores."""

    lead: str = ""

    def read(self, name: str, text: str, zone: ZoneInfo) -> str:
        """Return the text, at most FILTER_MAX_CHARS of it."""
        return cleaned(text).lstrip(self.lead).strip() if self.lead else cleaned(text)


@dataclass(frozen=True)
class OneOf(Parameter):
    """One of the known values."""

    known: Collection[str] = field(default_factory=tuple)

    def read(self, name: str, text: str, zone: ZoneInfo) -> str:
        """Return the value; raises Unusable for one that is not known."""
        if text not in self.known:
            raise left_out(f"There is no {name} “{text}”")
        return text

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema with all values."""
        return {"type": "string", "enum": list(self.known)}


@dataclass(frozen=True)
class Correlation(Parameter):
    """A correlation id, or its beginning as lists show it."""

    def read(self, name: str, text: str, zone: ZoneInfo) -> str:
        """Return it as ids are stored; raises Unusable for any other text."""
        if not CORRELATION.fullmatch(text.strip().lower()):
            raise left_out(f"“{text}” is no beginning of a correlation id; write its first 8 characters")
        return text.strip().lower()


@dataclass(frozen=True)
class WholeNumber(Parameter):
    """A whole number; people are given the bound for one beyond its bounds, machines are refused it."""

    least: int = 0
    most: int = NUMBER_MAX

    def read(self, name: str, text: str, zone: ZoneInfo) -> int:
        """Return the number; raises Unusable for any other text."""
        number = id_of(text)
        if number is None:
            raise self._beyond(name, text) if _WHOLE.fullmatch(text) else left_out(f"“{text}” is no whole number")
        return max(self.least, min(number, self.most))

    def read_exactly(self, name: str, text: str, zone: ZoneInfo) -> int:
        """Return the number; raises Unusable for one beyond the bounds too."""
        number = self.read(name, text, zone)
        if number != int(text):
            raise self._beyond(name, text)
        return number

    def _beyond(self, name: str, text: str) -> Unusable:
        return left_out(f"“{name}” is a number from {self.least} to {self.most}, not {text}")

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema with both bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class EntryNumber(WholeNumber):
    """The id of an entry; 0 means the newest, or none, as answers say it and as nobody types it."""


@dataclass(frozen=True)
class MomentText(Parameter):
    """A moment; one without an offset is in the site's zone."""

    def read(self, name: str, text: str, zone: ZoneInfo) -> datetime:
        """Return the moment, aware; raises Unusable for any other text."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or not _YEAR_MIN <= at.year <= _YEAR_MAX:
            raise left_out(f"“{text}” is no time; write it like 2026-11-20T10:30")
        return at if at.tzinfo else at.replace(tzinfo=zone)

    def write(self, value: datetime) -> str:
        """Return the moment as it was typed: without an offset where it is in the site's zone."""
        plain = value.replace(tzinfo=None) if isinstance(value.tzinfo, ZoneInfo) else value
        return plain.isoformat(timespec="auto" if value.second or value.microsecond else "minutes")

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema; an offset may be missing, so the format is not that of RFC 3339."""
        return {"type": "string", "examples": ["2026-11-20T10:30"]}


@dataclass(frozen=True)
class DayText(Parameter):
    """A whole day of the site's zone."""

    def read(self, name: str, text: str, zone: ZoneInfo) -> date:
        """Return the day; raises Unusable for any other text."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or not _DAY_MIN <= day <= _DAY_MAX:
            raise left_out(f"“{text}” is no date; write it like 2026-11-20")
        return day

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a date."""
        return {"type": "string", "format": "date"}


Text = Annotated[str, SearchedText()]
#: The number or the id of an order or a customer, with or without the # that pages put before it.
SourceText = Annotated[str, SearchedText("#")]
EntryId = Annotated[int, EntryNumber()]
PageNumber = Annotated[int, WholeNumber(1, PAGE_MAX)]
Moment = Annotated[datetime | None, MomentText()]
Day = Annotated[date | None, DayText()]


class UrlFilter(BaseModel):
    """What a URL asks for. Fields with a Parameter stand in the URL, the others are given by the page."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Return how each value of the URL is read, by its name."""
        found = {name: _parameter(each) for name, each in cls.model_fields.items()}
        return {name: each for name, each in found.items() if each is not None}

    @classmethod
    def wrong(cls, args: Mapping[str, Any], zone: str = "UTC", *, exact: bool = True) -> dict[str, Unusable]:
        """Return what a URL says that the filter cannot use, by its name: unknown names and unreadable values.

        Unless it has to be exact, a number beyond its bounds can be used.
        """
        found: dict[str, Unusable] = {}
        for name, value in args.items():
            parameter = cls.parameters().get(name)
            if parameter is None:
                found[name] = Unusable(
                    f"There is no filter “{cleaned(name)[:NAME_SHOWN_MAX_CHARS]}”.", "It was left out."
                )
            elif text := cleaned(value):
                read = parameter.read_exactly if exact else parameter.read
                try:
                    read(name, text, ZoneInfo(zone))
                except Unusable as error:
                    found[name] = error
        return found

    @classmethod
    def from_url(cls, args: Mapping[str, Any], zone: str = "UTC", **given: Any) -> tuple[Self, list[str]]:
        """Return the filter of a URL and a notice for each name and value that could not be used and was left out.

        `given` are the fields that no URL says; a field `zone` takes the zone.
        """
        given |= {"zone": zone} if "zone" in cls.model_fields else {}
        wrong = cls.wrong(args, zone, exact=False)
        usable = {name: text for name in args if name not in wrong and (text := cleaned(args[name]))}
        found = cls.model_validate({**usable, **given}, context={"zone": ZoneInfo(zone)})
        return found, [*(each.message() for each in wrong.values()), *found.contradictions()]

    def contradictions(self) -> list[str]:
        """Return a sentence for values that find nothing together."""
        since, until = getattr(self, "since", None), getattr(self, "until", None)
        if since is None or until is None:
            return []
        if isinstance(since, datetime):
            return ["“From” is not before “to”, so nothing can be found."] if since >= until else []
        return ["The first day is after the last one, so nothing can be found."] if since > until else []

    def args(self, **changes: Any) -> dict[str, Any]:
        """Return what stands in the URL of this filter, with changes; what is usual, None, "" and 0 are left out."""
        parameters = self.parameters()
        values = {name: getattr(self, name) for name in parameters} | changes
        usual = {name: self.__class__.model_fields[name].default for name in parameters}
        return {
            name: parameters.get(name, Parameter()).write(value) if not isinstance(value, str) else value
            for name, value in values.items()
            if value not in (None, "", 0) and value != usual.get(name)
        }

    def differs(self, *beside: str) -> bool:
        """Return whether any value is not the usual one, beside those named."""
        return bool(self.args(**dict.fromkeys(beside)))


def _parameter(info: FieldInfo) -> Parameter | None:
    return next((each for each in info.metadata if isinstance(each, Parameter)), None)


def without(args: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the values of a URL or form without those that are no part of its filter."""
    return {name: value for name, value in args.items() if name not in names}


def cleaned(value: Any) -> str:
    """Return a text without blanks around it and without what no database holds, cut to FILTER_MAX_CHARS."""
    text = ("" if value is None else str(value)).replace("\x00", "").strip()[:FILTER_MAX_CHARS]
    return text.encode("utf-8", "replace").decode()


def begin_of(day: date | None, zone: str) -> datetime | None:
    """Return the first moment of a day of a zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) if day else None


def end_of(day: date | None, zone: str) -> datetime | None:
    """Return the moment behind the last one of a day of a zone."""
    return begin_of(day + timedelta(days=1), zone) if day else None
