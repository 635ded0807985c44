"""A billing address as contact fields (P12, P13, P15)."""

from __future__ import annotations

from integration.mapping import places
from integration.plans import ADDRESS, Adjustment, Value
from integration.records import Address

Fields = dict[str, Value]

#: Mautic's alias -> our attribute, for what needs no translation.
PLAIN = {
    "company": "company",
    "address1": "address_1",
    "address2": "address_2",
    "city": "city",
    "zipcode": "postcode",
}


def fields(address: Address, *, billing: bool, phone: bool) -> tuple[Fields, tuple[Adjustment, ...]]:
    """Return the address and the phone where they are given, and what had no name in Mautic's lists.

    An address is one value: all its parts are in it, "" those that it has not. An entirely blank one is none.
    """
    found, adjustments = _address(address) if billing and is_given(address) else ({}, ())
    return {**found, **(filled({"phone": address.phone.strip()}) if phone else {})}, adjustments


def is_given(address: Address) -> bool:
    """Tell whether the store has any part of an address."""
    parts = (*(getattr(address, name) for name in PLAIN.values()), address.country, address.state)
    return any(part.strip() for part in parts)


def _address(address: Address) -> tuple[Fields, tuple[Adjustment, ...]]:
    plain: Fields = {alias: getattr(address, name).strip() for alias, name in PLAIN.items()}
    named, adjustments = place(address.country, address.state)
    return {**dict.fromkeys(ADDRESS, ""), **plain, **named}, adjustments


def place(country_code: str, state: str) -> tuple[Fields, tuple[Adjustment, ...]]:
    """Return country and state by Mautic's names; one that Mautic does not list is left out and said."""
    country_code, state = country_code.strip(), state.strip()
    found: Fields = {}
    adjustments = []
    for alias, value, name in (
        ("country", country_code, places.country(country_code)),
        ("state", state, places.state(country_code, state)),
    ):
        if name:
            found[alias] = name
        elif value:
            adjustments.append(_unlisted(alias, value))
    return found, tuple(adjustments)


def filled(found: Fields) -> Fields:
    """Return the fields without blank ones: names and a phone that the store has not stay as they are in Mautic."""
    return {alias: value for alias, value in found.items() if value not in ("", None)}


def _unlisted(alias: str, value: str) -> Adjustment:
    return Adjustment(alias, "left_out", f"Mautic's list has no {alias} for “{value}”, so the {alias} was left out.")
