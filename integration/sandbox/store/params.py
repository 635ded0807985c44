"""Query parameters of lists: what WordPress takes, and what it says about the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integration.sandbox.store.http_messages import ApiRequest
from integration.sandbox.store.problems import choice_of, invalid
from integration.sandbox.store.times import is_date

Fault = tuple[str, str, str, Any]
Check = Callable[[str, Any], Fault | None]


@dataclass(frozen=True)
class Param:
    """One parameter: its name, its check and its value when it is left out."""

    name: str
    check: Check
    default: Any = None


def whole_number(low: int | None = None, high: int | None = None) -> Check:
    """Check an integer between bounds (woo:201 to woo:204)."""

    def check(name: str, value: Any) -> Fault | None:
        text = str(value).strip()
        if not text.lstrip("-").isdigit():
            return name, "rest_invalid_type", f"{name} is not of type integer.", {"param": name}
        if (low is not None and int(text) < low) or (high is not None and int(text) > high):
            return name, "rest_out_of_bounds", _bounds(name, low, high), None
        return None

    return check


def _bounds(name: str, low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{name} must be between {low} (inclusive) and {high} (inclusive)"
    return f"{name} must be greater than or equal to {low}"


def one_of(*options: str) -> Check:
    """Check a single choice (woo:200)."""

    def check(name: str, value: Any) -> Fault | None:
        if value in options:
            return None
        return name, "rest_not_in_enum", f"{name} is not one of {choice_of(list(options))}.", None

    return check


def some_of(*options: str) -> Check:
    """Check a comma list or array of choices (woo:197)."""

    def check(name: str, value: Any) -> Fault | None:
        for index, entry in enumerate(listed(value)):
            if entry not in options:
                text = f"{name}[{index}] is not one of {choice_of(list(options))}."
                return name, "rest_not_in_enum", text, None
        return None

    return check


def moment(name: str, value: Any) -> Fault | None:
    """Check a date with a time of day (woo:198 and woo:199)."""
    return None if is_date(str(value)) else (name, "rest_invalid_date", "Invalid date.", None)


def numbers(name: str, value: Any) -> Fault | None:
    """Check a list of integers."""
    for index, entry in enumerate(listed(value)):
        if not entry.lstrip("-").isdigit():
            place = f"{name}[{index}]"
            return name, "rest_invalid_type", f"{place} is not of type integer.", {"param": place}
    return None


def anything(name: str, value: Any) -> Fault | None:
    """Take any text."""
    return None


def listed(value: Any) -> list[str]:
    """Split a comma list, or take an array as it is."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip() != ""]


def read(request: ApiRequest, params: tuple[Param, ...]) -> dict[str, Any]:
    """Return the parameters' values with defaults; raises Refused naming all that failed, in the schema's order."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for param in params:
        values[param.name] = request.query.get(param.name, param.default)
        if param.name in request.query and (fault := param.check(param.name, request.query[param.name])):
            faults.append(fault)
    if faults:
        raise invalid(faults)
    return values


PAGING = (Param("page", whole_number(1), 1), Param("per_page", whole_number(1, 100), 10))
ORDER = one_of("asc", "desc")
