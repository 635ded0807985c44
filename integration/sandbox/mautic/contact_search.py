"""Finding contacts: search commands, where[], order and paging, quick for the ways a sync asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import Crash
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.list_queries import DEFAULT_LIMIT, UnknownColumn, fulfils, sort_key, whole
from integration.sandbox.mautic.request_body import entries
from integration.sandbox.mautic.search_syntax import Term, parse
from integration.sandbox.mautic.state import State, fold

PLAIN = ("firstname", "lastname", "email", "company", "city", "state", "zipcode", "country")

COLUMNS: dict[str, Callable[[Contact], Any]] = {
    "id": lambda contact: contact.id,
    "points": lambda contact: contact.points,
    "dateAdded": lambda contact: php_format.iso(contact.added),
    "date_added": lambda contact: php_format.iso(contact.added),
    "dateModified": lambda contact: php_format.iso(contact.modified),
    "date_modified": lambda contact: php_format.iso(contact.modified),
    "dateIdentified": lambda contact: php_format.iso(contact.identified),
    "lastActive": lambda contact: php_format.iso(contact.last_active),
    "last_active": lambda contact: php_format.iso(contact.last_active),
    "owner": lambda contact: contact.owner,
    "owner_id": lambda contact: contact.owner,
}


def column(state: State, contact: Contact, name: str) -> Any:
    """Return the value of a column such as email, dateModified or l.id; UnknownColumn if there is none."""
    bare = name.split(".")[-1]
    if bare in COLUMNS:
        return COLUMNS[bare](contact)
    if bare not in state.by_alias:
        raise UnknownColumn(name)
    return contact.values.get(bare)


def find(state: State, asked: dict[str, Any]) -> tuple[int, list[Contact]]:
    """Return the total and one page of contacts; an unknown column is a 500 (mautic:093, mautic:094)."""
    try:
        found = _where(state, _searched(state, str(asked.get("search") or "")), asked.get("where"))
        ordered = _ordered(state, found, asked)
    except UnknownColumn:
        raise Crash from None
    start, limit = whole(asked.get("start"), 0), whole(asked.get("limit"), DEFAULT_LIMIT)
    return len(ordered), ordered[start : start + limit if limit else None]


def _searched(state: State, words: str) -> Iterable[Contact]:
    if not words.strip():
        return state.contacts.values()
    return [state.contacts[number] for number in sorted(_joined(state, parse(words, state.major)))]


def _joined(state: State, terms: list[Term]) -> set[int]:
    found: set[int] | None = None
    for term in terms:
        each = _term(state, term)
        found = each if found is None else found | each if term.either else found & each
    return found or set()


def _term(state: State, term: Term) -> set[int]:
    if term.inner:
        found = _joined(state, term.inner)
    elif not term.said:
        return set()
    else:
        found = _command(state, term.command, term.said) if term.command else _plain(state, term.said)
    return set(state.contacts) - found if term.negated else found


def _command(state: State, command: str, wanted: str) -> set[int]:
    if command == "ids":
        numbers = (int(each) for each in wanted.split(",") if each.strip().isdigit())
        return {number for number in numbers if number in state.contacts}
    if command == "tag":
        return _tagged(state, wanted)
    if command == "dnc":
        return _unwilling(state, wanted)
    if command == "name":
        return _plain(state, wanted, ("firstname", "lastname"))
    if command == "segment":
        segment = state.segment(wanted)
        return {contact.id for contact in state.members(segment["id"])} if segment else set()
    if command in state.unique:
        return set(state.having(command, wanted))  # mautic:078 to mautic:085, mautic:299: exact, without letter case.
    if command in state.by_alias:
        return {each.id for each in state.contacts.values() if fold(each.values.get(command, "")) == fold(wanted)}
    return _plain(state, f"{command}:{wanted}")  # mautic:088.


def _tagged(state: State, wanted: str) -> set[int]:
    numbers = {number for number, row in state.tags.items() if fold(row["tag"]) == fold(wanted)}
    return {contact.id for contact in state.contacts.values() if not numbers.isdisjoint(contact.tags)}


def _unwilling(state: State, channel: str) -> set[int]:
    """Return who is on Do Not Contact, a search that only Mautic 7 knows (mautic:415)."""
    if state.major < 7:
        return set()
    return {each.id for each in state.contacts.values() if any(entry["channel"] == channel for entry in each.dnc)}


def _plain(state: State, wanted: str, aliases: Iterable[str] = PLAIN) -> set[int]:
    part = fold(wanted)
    contacts = state.contacts.values()
    return {each.id for each in contacts if any(part in fold(each.values.get(alias, "")) for alias in aliases)}


def _cleaned(value: Any) -> Any:
    """Return conditions as a Mautic before 7 cleans them: an apostrophe finds nothing (mautic:507)."""
    if isinstance(value, dict):
        return {name: _cleaned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return value.replace("'", "&#39;") if isinstance(value, str) else value


def _where(state: State, found: Iterable[Contact], conditions: Any) -> Iterable[Contact]:
    if not entries(conditions):
        return found
    conditions = conditions if state.major >= 7 else _cleaned(conditions)
    for name in (each.get("col", "") for each in entries(conditions) if each.get("expr") not in ("andX", "orX")):
        _known(state, name)
    quick = _by_email(state, found, conditions)
    return [each for each in quick if fulfils(conditions, partial(column, state, each))]


def _known(state: State, name: str) -> None:
    bare = name.split(".")[-1]
    if bare not in COLUMNS and bare not in state.by_alias:
        raise UnknownColumn(name)


def _by_email(state: State, found: Iterable[Contact], conditions: Any) -> Iterable[Contact]:
    first = entries(conditions)[0]
    if isinstance(found, list) or first.get("col") != "email" or first.get("expr") not in ("eq", "in"):
        return found
    ids: set[int] = set().union(*(state.having("email", each) for each in _addresses(first)))
    return [state.contacts[number] for number in sorted(ids)]


def _addresses(condition: dict[str, Any]) -> list[str]:
    value = condition.get("val")
    listed = entries(value) if isinstance(value, list | dict) else str(value).split(",")
    return [str(each) for each in listed]


def _ordered(state: State, found: Iterable[Contact], asked: dict[str, Any]) -> list[Contact]:
    orders = [(str(each.get("col")), str(each.get("dir", "asc"))) for each in entries(asked.get("order"))]
    if "orderBy" in asked:
        orders = [(str(asked["orderBy"]), str(asked.get("orderByDir", "asc")))]
    contacts = list(found)
    if not orders:
        return _most_active_first(contacts)
    for name, direction in reversed(orders):
        contacts = _sorted(state, contacts, name, direction.lower() == "desc")
    return contacts


def _most_active_first(contacts: list[Contact]) -> list[Contact]:
    seen = [contact for contact in contacts if contact.last_active]
    if not seen:
        return contacts
    seen.sort(key=lambda contact: contact.last_active, reverse=True)  # type: ignore[arg-type, return-value]  # not None
    return seen + [contact for contact in contacts if not contact.last_active]  # mautic:096, mautic:154.


def _sorted(state: State, contacts: list[Contact], name: str, backwards: bool) -> list[Contact]:
    _known(state, name)
    if name.split(".")[-1] == "id":
        return sorted(contacts, key=lambda contact: contact.id, reverse=backwards)
    return sorted(contacts, key=lambda contact: sort_key(column(state, contact, name)), reverse=backwards)
