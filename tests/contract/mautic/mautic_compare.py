"""Compares an answer of the stand-in with the recorded one: status, headers, keys, types and values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mautic_replay import Answer

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
SQL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
#: Set when the request is handled, so a little off.
TIMES = frozenset({"dateAdded", "dateModified", "dateIdentified", "date_sent", "date_added"})
TIMES |= {"date_modified", "timestamp", "dateSent", "date_associated"}
#: Made by chance, or naming a server.
RANDOM = frozenset({"access_token", "tracking_hash", "idHash", "secret", "href"})
FORMS = frozenset({"null", "iso", "sql", "neither"})
HEADERS = ("mautic-version", "location", "x-ratelimit-limit", "x-ratelimit-remaining", "pragma", "content-type")


def differences(
    recorded: Answer,
    got: Answer,
    excused: tuple[str, ...] = (),
    headers: tuple[str, ...] = HEADERS,
    *,
    same_day: bool = True,
) -> list[str]:
    """Return what differs, as sentences with the place; `excused` are regular expressions over places.

    Times need only have the same form where they are not of the `same_day`.
    """
    found = [] if recorded.status == got.status else [f"status: {recorded.status} was recorded, {got.status} came"]
    found += _headers(recorded.headers, got.headers, headers)
    bodies = (recorded.body, got.body) if same_day else (_formless(recorded.body), _formless(got.body))
    found += [text for place, text in _values("", *bodies) if not _is_excused(place, excused)]
    return found


def _formless(value: Any) -> Any:
    """Return an answer with the form of each time in its place, and whether the last change is the first."""
    if isinstance(value, list):
        return [_formless(each) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {key: _form(each) if key in TIMES else _formless(each) for key, each in value.items()}
    if "dateModified" in value:
        shown["is unchanged"] = value["dateModified"] == value["dateAdded"]
    return shown


def _is_excused(place: str, excused: tuple[str, ...]) -> bool:
    return any(re.search(each, place) for each in excused)


def _headers(recorded: dict[str, str], got: dict[str, str], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if recorded.get(name) != got.get(name):
            yield f"header {name}: {recorded.get(name)!r} was recorded, {got.get(name)!r} came"


def _values(place: str, recorded: Any, got: Any) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, dict) and isinstance(got, dict):
        yield from _objects(place, recorded, got)
    elif isinstance(recorded, list) and isinstance(got, list):
        if len(recorded) != len(got):
            yield place, f"{place}: {len(recorded)} entries were recorded, {len(got)} came"
        for number, (one, other) in enumerate(zip(recorded, got, strict=False)):
            yield from _values(f"{place}[{number}]", one, other)
    elif not _same(place.rsplit(".", 1)[-1], recorded, got):
        yield place, f"{place}: {str(recorded)[:150]!r} was recorded, {str(got)[:150]!r} came"


def _objects(place: str, recorded: dict[str, Any], got: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in recorded.keys() | got.keys():
        here = f"{place}.{key}"
        if key not in got:
            yield here, f"{here}: is missing"
        elif key not in recorded:
            yield here, f"{here}: was not recorded"
        else:
            yield from _values(here, recorded[key], got[key])


def _same(key: str, recorded: Any, got: Any) -> bool:
    if key in RANDOM:
        return type(recorded) is type(got)
    if key in TIMES and recorded not in FORMS:
        return _form(recorded) == _form(got) and _near(recorded, got)
    if type(recorded) is not type(got) and not _both_numbers(recorded, got):
        return False
    return bool(recorded == got)


def _both_numbers(one: Any, other: Any) -> bool:
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other))


def _near(one: str | None, other: str | None) -> bool:
    """Tell whether two times of one form are near: the clock is set to the recorded Date; 200 rows took 5 s (143)."""
    if one is None or other is None:
        return True
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) <= timedelta(seconds=6)


def _form(value: Any) -> str:
    if value is None:
        return "null"
    return "iso" if ISO.match(str(value)) else "sql" if SQL.match(str(value)) else "neither"
