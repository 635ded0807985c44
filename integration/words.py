"""Counts and durations as people read them: the plural forms of the language, thousands apart."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from babel.numbers import format_decimal

_LANGUAGE = Locale("en", "US")
#: A page says the same small figures again and again.
_FIGURES_KEPT = 2_000
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
#: A wait below this is told in seconds, for half a minute matters to whoever waits.
_SECONDS_TOLD_MAX = 120


@lru_cache(maxsize=_FIGURES_KEPT)
def figure(number: float) -> str:
    """Return a number with its thousands apart."""
    return format_decimal(number, locale=_LANGUAGE)


def form(number: float, one: str, many: str = "") -> str:
    """Return the form of a noun that goes with a number; `many` is `one` with an s where it is not given."""
    return one if _LANGUAGE.plural_form(number) == "one" else many or f"{one}s"


def counted(number: float, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 record", "1,200 records"."""
    return f"{figure(number)} {form(number, one, many)}"


def span(seconds: float) -> str:
    """Return a duration in its largest fitting unit: "5 minutes", "7 days"."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "second"))
    return counted(round(seconds / size), unit)


def wait(seconds: float) -> str:
    """Return how long somebody has to wait: to the second below two minutes."""
    return counted(round(seconds), "second") if seconds < _SECONDS_TOLD_MAX else span(seconds)
