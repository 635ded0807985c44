"""Reads many contacts with their fields and tags in few calls: by id or by e-mail address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from integration.identity import normalise_email
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of, paged
from integration.mautic.search import email_of, entries

#: Contacts asked for in one call; each takes Mautic about 10 KB of answer.
AT_ONCE = 100
#: Characters of a query that servers take for certain: they stop at 8,190 for the whole line.
QUERY_MAX_CHARS = 4000
#: Contacts of one address are rarely more than a few; a full page is followed by the next.
PER_VALUE = 4
#: Mautic 5 cleans the values of where[], so that an apostrophe finds nobody (mautic:507); a comma parts two values.
_CLEANED = re.compile(r"['&<>,\s]")
#: Addresses in one search: what a search costs grows with each.
SEARCHED_AT_ONCE = 10
_SCALE = re.compile(r's:5:"scale";(?:i:|s:\d+:")(\d+)')


def by_ids(client: MauticClient, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return contact id -> contact with fields and tags, `AT_ONCE` a call; ids not there are left out (mautic:089)."""
    found: dict[int, dict[str, Any]] = {}
    for part in _parts([str(number) for number in sorted(set(ids))]):
        query = {"search": f"ids:{','.join(part)}"}
        found |= {number_of(contact): contact for contact in _pages(client, query, len(part))}
    return found


def by_emails(client: MauticClient, addresses: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return normalised address -> all contacts that have it, oldest first; addresses nobody has are left out.

    Nearly all go by where[] (mautic:091, mautic:506, mautic:508), those with an apostrophe or the like by search
    (mautic:080, mautic:084).
    """
    wanted = sorted({normalised for address in addresses if (normalised := normalise_email(address))})
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for query, count in _queries(wanted):
        for contact in _pages(client, query, count):
            found.setdefault(normalise_email(email_of(contact)), {})[number_of(contact)] = contact
    return {address: [found[address][n] for n in sorted(found[address])] for address in wanted if address in found}


def _queries(wanted: Sequence[str]) -> Iterator[tuple[Mapping[str, Any], int]]:
    # Nothing escapes a quotation mark in a search, and Mautic stores no address that has one (mautic:032).
    sayable = [address for address in wanted if '"' not in address]
    for part in _parts([address for address in sayable if not _CLEANED.search(address)]):
        where = {"where[0][col]": "email", "where[0][expr]": "in", "where[0][val]": ",".join(part)}
        yield where, len(part)
    for part in _parts([address for address in sayable if _CLEANED.search(address)], most=SEARCHED_AT_ONCE):
        yield {"search": any_of(part)}, len(part)


def any_of(addresses: Iterable[str]) -> str:
    """Return the search for contacts with any of the addresses.

    The quotes keep blanks, colons and brackets from being read as commands; `OR` counts in capitals only from Mautic 7
    on (mautic:085, mautic:493).
    """
    return " OR ".join(f'email:"{address}"' for address in addresses)


def _parts(values: Sequence[str], most: int = AT_ONCE) -> Iterator[list[str]]:
    """Yield the values in groups that fit into one call."""
    part: list[str] = []
    length = 0
    for value in values:
        needed = len(quote(value, safe="")) + len("%2C")
        if part and (len(part) >= most or length + needed > QUERY_MAX_CHARS):
            yield part
            part, length = [], 0
        part.append(value)
        length += needed
    if part:
        yield part


def _pages(client: MauticClient, query: Mapping[str, Any], count: int) -> Iterator[dict[str, Any]]:
    limit = count * PER_VALUE

    def read(start: int) -> list[dict[str, Any]]:
        answer = client.get("contacts", {**query, "limit": limit, "start": start, "orderBy": "id"})
        return entries(answer, "contacts")

    return paged(read, limit)


def values_of(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Return alias -> value of a contact's fields as Mautic stores them; {} when it shows none."""
    fields = contact.get("fields")
    every = fields.get("all") if isinstance(fields, dict) else None
    if isinstance(every, dict):
        return {alias: value for alias, value in every.items() if alias != "id"}
    return {alias: field.get("value") for alias, field in described(contact).items()}


def tags_of(contact: Mapping[str, Any]) -> list[str]:
    """Return the names of a contact's tags."""
    tags = contact.get("tags")
    rows: Iterable[object] = tags.values() if isinstance(tags, dict) else tags if isinstance(tags, list) else ()
    return [str(row.get("tag") or "") if isinstance(row, dict) else str(row) for row in rows]


def described(contact: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return alias -> Mautic's description of the field (type, properties, value) that comes with a contact."""
    groups = contact.get("fields")
    rows = groups.items() if isinstance(groups, dict) else ()
    return {
        alias: field
        for name, group in rows
        if name != "all" and isinstance(group, dict)
        for alias, field in group.items()
        if isinstance(field, dict)
    }


def scale_of(field: Mapping[str, Any]) -> int | None:
    """Return the decimals a number field keeps (mautic:274), None when its description does not tell."""
    properties = field.get("properties")
    if isinstance(properties, dict):
        scale = str(properties.get("scale"))
        return int(scale) if scale.isdigit() else None
    found = _SCALE.search(str(properties or ""))
    return int(found.group(1)) if found else None
