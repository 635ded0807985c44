"""Countries and states: WooCommerce's codes and the names in Mautic's own lists (P15).

Mautic refuses a contact whose country or state it does not list (mautic:042, 043), and its lists keep spellings of
their own ("Sao Paulo"). The lists differ by version and an administrator can replace them, so a name has alternates: it
is sent as the newest version writes it, and in the other ways when Mautic refuses that. Where each list comes from
stands in data/README.md.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import get_global

DATA = Path(__file__).parent / "data"
#: The European Union's own code, which VAT plugins write; what CLDR knows besides ISO's codes is Babel's.
_COUNTRY_CODES = {"EL": "GR"}
#: Country -> code -> the code of the same state in our table. Mexico City has CMX in ISO 3166-2 since 2016, and CDMX in
#: plugins. ISO gave Indian states other codes in 2023; WooCommerce had OR for Odisha before it took OD.
_STATE_CODES = {
    "MX": {"CDMX": "DF", "CMX": "DF"},
    "IN": {"OR": "OD", "CG": "CT", "TG": "TS", "UT": "UK"},
}


def country(code: str) -> str | None:
    """Return Mautic's name of a country's code ("US" -> "United States"), None when Mautic lists none (FO, AS, …)."""
    names = _countries().get(_iso(code))
    return names[0] if names else None


def country_alternates(name: str) -> tuple[str, ...]:
    """Return the other spellings that Mautic's versions list for a country ("Türkiye" -> "Turkey"), best first."""
    names = _countries_by_name().get(_folded(name), ())
    return tuple(other for other in names if other != name)


def state_alternates(name: str) -> tuple[str, ...]:
    """Return what Mautic's other versions may list for a state ("Zürich" -> "Zurich"), the likeliest first.

    These are older spellings, or the province that it was part of before; then the store's own name ("São Paulo"),
    which a list that was corrected meanwhile has.
    """
    listed: list[str] = _table("state_spellings").get(name, [])
    return tuple(dict.fromkeys([*listed, *_names_in_the_store().get(name, ())]))


def alternates(alias: str, value: object) -> tuple[str, ...]:
    """Return the other spellings of a field's value for a writer to try when Mautic refuses it (mautic:042)."""
    known = _ALTERNATES.get(alias)
    return known(value) if known is not None and isinstance(value, str) else ()


_ALTERNATES = {"country": country_alternates, "state": state_alternates}


def country_named(name: str) -> str | None:
    """Return Mautic's name for a code or for a name in any of the spellings known, None when there is none."""
    code = country(name) if len(name.strip()) in (2, 3) else None
    names = _countries_by_name().get(_folded(name), ())
    return code or next((known for known in names if known == name.strip()), names[0] if names else None)


def state(country_code: str, state: str) -> str | None:
    """Return Mautic's name of a WooCommerce state code or name (US CA, DE DE-BY, IT MI), None when it lists none."""
    code, text = _iso(country_code), state.strip()
    text = _STATE_CODES.get(code, {}).get(text.upper().removeprefix(f"{code}-"), text)
    states = _table("states").get(code, {})
    return states.get(text) or states.get(text.upper()) or states.get(f"{code}-{text.upper()}") or _by_name(code, text)


def is_state(name: str) -> bool:
    """Tell whether the name is in Mautic's list; it is one list for all countries (dossier 14.2)."""
    return name in _state_names()


def _iso(country_code: str) -> str:
    """Return ISO's code of two letters for another one of the same country (UK, EL, GBR, 826)."""
    code = country_code.strip().upper()
    others: list[str] = [] if code in _countries() else get_global("territory_aliases").get(code, [])
    return _COUNTRY_CODES.get(code) or (others[0] if len(others) == 1 else code)


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
def _names_in_the_store() -> dict[str, tuple[str, ...]]:
    """Return Mautic's name of a state -> what WooCommerce calls it."""
    found: dict[str, tuple[str, ...]] = {}
    for names in _table("state_names").values():
        for theirs, listed in names.items():
            found[listed] = (*found.get(listed, ()), theirs)
    return found


@cache
def _state_names() -> frozenset[str]:
    listed = {name for states in _table("states").values() for name in states.values()}
    return frozenset(listed.union(*_table("state_spellings").values()))


def _folded(text: str) -> str:
    """Return the text for comparing: no accents, no letter case, entities read."""
    parts = unicodedata.normalize("NFKD", html.unescape(text).strip().casefold())
    return " ".join("".join(letter for letter in parts if not unicodedata.combining(letter)).split())
