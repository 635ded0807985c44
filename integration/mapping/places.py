"""Countries and states: WooCommerce's codes and the names in Mautic's own lists (P15).

Mautic refuses a contact whose country or state it does not list (mautic:042, 043), and its lists keep spellings of
their own ("Fukusima"). The lists differ by version and an administrator can replace them, so a country has alternates.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
#: Codes that plugins and old orders write beside ISO's: the European Union's own, and Mexico City's since 2016.
_COUNTRY_CODES = {"UK": "GB", "EL": "GR"}
#: Two provinces of Sardinia went back to those they came from in 2016. Its South (SU) has no name in any list.
_STATE_CODES = {("MX", "CDMX"): "DF", ("MX", "CMX"): "DF", ("IT", "OT"): "SS", ("IT", "OG"): "NU"}


def country(code: str) -> str | None:
    """Return Mautic's name of an ISO 3166 code ("US" -> "United States"), None when Mautic lists none (FO, AS, …)."""
    names = _countries().get(_iso(code))
    return names[0] if names else None


def country_alternates(name: str) -> tuple[str, ...]:
    """Return the other spellings that Mautic's versions list for a country ("Türkiye" -> "Turkey"), best first."""
    names = _countries_by_name().get(_folded(name), ())
    return tuple(other for other in names if other != name)


def alternates(alias: str, value: object) -> tuple[str, ...]:
    """Return the other spellings of a field's value for a writer to try when Mautic refuses it (mautic:042)."""
    return country_alternates(value) if alias == "country" and isinstance(value, str) else ()


def country_named(name: str) -> str | None:
    """Return Mautic's name for a code or for a name in any of the spellings known, None when there is none."""
    code = country(name) if len(name.strip()) == 2 else None
    names = _countries_by_name().get(_folded(name), ())
    return code or next((known for known in names if known == name.strip()), names[0] if names else None)


def state(country_code: str, state: str) -> str | None:
    """Return Mautic's name of a WooCommerce state code or name (US CA, DE DE-BY, IT MI), None when it lists none."""
    code, text = _iso(country_code), state.strip()
    text = _STATE_CODES.get((code, text.upper().removeprefix("MX-")), text)
    states = _table("states").get(code, {})
    return states.get(text) or states.get(text.upper()) or states.get(f"{code}-{text.upper()}") or _by_name(code, text)


def is_state(name: str) -> bool:
    """Tell whether the name is in Mautic's list; it is one list for all countries (dossier 14.2)."""
    return name in _state_names()


def _iso(country_code: str) -> str:
    code = country_code.strip().upper()
    return _COUNTRY_CODES.get(code, code)


def _by_name(code: str, text: str) -> str | None:
    return _states_by_name(code).get(_folded(text)) if text else None


@cache
def _table(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return loaded


def _countries() -> Mapping[str, list[str]]:
    return _table("countries")


@cache
def _countries_by_name() -> dict[str, tuple[str, ...]]:
    return {_folded(name): tuple(names) for names in _countries().values() for name in names}


@cache
def _states_by_name(code: str) -> dict[str, str]:
    """Return folded name -> Mautic's name: WooCommerce's own names first, so that Mautic's exact ones win."""
    names: dict[str, str] = dict(_table("state_names").get(code, {}))
    listed = {name: name for name in _table("states").get(code, {}).values()}
    return {_folded(name): value for name, value in {**names, **listed}.items()}


@cache
def _state_names() -> frozenset[str]:
    return frozenset(name for states in _table("states").values() for name in states.values())


def _folded(text: str) -> str:
    """Return the text for comparing: no accents, no letter case, entities read."""
    parts = unicodedata.normalize("NFKD", html.unescape(text).strip().casefold())
    return " ".join("".join(letter for letter in parts if not unicodedata.combining(letter)).split())
