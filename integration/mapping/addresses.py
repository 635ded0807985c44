"""A billing address as contact fields (P12, P13, P15)."""

from __future__ import annotations

from integration.mapping import places
from integration.plans import Adjustment
from integration.plans import Value
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
    """Return the parts that are filled, never blanks, and what had no name in Mautic's lists."""
    found: Fields = {alias: getattr(address, name).strip() for alias, name in PLAIN.items()} if billing else {}
    adjustments: tuple[Adjustment, ...] = ()
    if billing:
        named, adjustments = place(address.country, address.state)
        found.update(named)
    if phone:
        found["phone"] = address.phone.strip()
    return filled(found), adjustments


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
    """Return the fields without blank ones: a blank is not sent, since Mautic ignores it anyway (recording 026)."""
    return {alias: value for alias, value in found.items() if value not in ("", None)}


def _unlisted(alias: str, value: str) -> Adjustment:
    return Adjustment(alias, "left_out", f"Mautic's list has no {alias} for “{value}”, so the {alias} was left out.")
