"""Contacts as JSON text, in the shapes of the recordings.

A batch of 200 contacts is a megabyte, nearly all of it descriptions of fields; these are made once and glued together.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.field_values import label_of
from integration.sandbox.mautic.state import State, collate

GROUPS = ("core", "social", "personal", "professional")
IP_DETAILS = (
    '{"city":"","region":"","zipcode":"","country":"","latitude":"","longitude":"","isp":"","organization":"",'
    '"timezone":"","extra":""}'
)
NULL = re.compile(r',"\w+":null')
NOTHING: Mapping[str, Any] = {}
#: Shown for a field that was just emptied: null in `all`, "" in its group (mautic:027, mautic:105).
EMPTIED = object()


class Defaulted(NamedTuple):
    """A value that a new contact got by its field's default: in `all`, but null in its group (mautic:458)."""

    value: Any


class Piece(NamedTuple):
    """One field: its name as JSON, and what stands before its value in an entity just made, read, or shown plainly."""

    field: dict[str, Any]
    alias: str
    key: str
    made: str
    read: str
    plain: str


class Renderer:
    """Writes the contacts of one Mautic as JSON text."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._version = -1
        self._groups: list[tuple[str, list[Piece]]] = []
        self._pieces: list[Piece] = []

    def contact(
        self,
        contact: Contact,
        *,
        made: bool = False,
        minimal: bool = False,
        refused: bool = False,
        shown: Mapping[str, Any] = NOTHING,
        deleted: bool = False,
        written: bool = False,
        listed: bool = False,
    ) -> str:
        """Return a contact.

        `made`: just created (mautic:017); `minimal`: without what hangs on it (mautic:081); `refused`: as a batch edit
        shows one
        that it did not write (mautic:162); `shown`: values shown otherwise than they are stored (mautic:027);
        `deleted`: id null;
        `written`: tags in the order they were put, not by name (mautic:122, mautic:127); `listed`: yes and no as texts
        (mautic:458).
        """
        number = "null" if deleted else str(contact.id)
        shown = _truths_as_text(contact) if listed else shown
        fields = self._fields(contact, made, self._as_text(contact) if refused else shown, None if refused else number)
        head = f'{self._head(contact)},"id":{number},"points":{contact.points},"color":null,"fields":{fields}'
        return f"{{{head}}}" if minimal else f"{{{head},{self._tail(contact, made or written, made)}}}"

    def _as_text(self, contact: Contact) -> dict[str, Any]:
        """Return numbers as the database gives them, in quotes (mautic:162, mautic:185)."""
        self._refresh()
        values = ((piece.alias, _value(contact, piece.alias)) for piece in self._pieces)
        return {alias: str(value) for alias, value in values if isinstance(value, int | float)}

    def lead(self, contact: Contact) -> str:
        """Return a contact as a new note shows it (mautic:205)."""
        fields = self._fields(contact, False, NOTHING, None)
        return f'{{"id":{contact.id},"points":{contact.points},"color":null,"fields":{fields}}}'

    def plain(self, contact: Contact) -> str:
        """Return a contact as the routes for DNC and UTM show it: nothing that is null (mautic:194, mautic:336)."""
        self._refresh()
        values = "".join(f',"{alias}":{dump(value)}' for alias, value in self._filled(contact))
        groups = ",".join(f'"{name}":{self._plain_group(contact, pieces)}' for name, pieces in self._groups)
        return self._without_nulls(contact, values, groups)

    def selected(self, contact: Contact, names: Container[str]) -> str:
        """Return a contact with only the fields of select[], in the shape of plain() (mautic:532)."""
        self._refresh()
        kept = [(name, [each for each in pieces if each.alias in names]) for name, pieces in self._groups]
        groups = [f'"{name}":{self._plain_group(contact, pieces)}' for name, pieces in kept]
        values = {piece.alias: _value(contact, piece.alias) for _, pieces in kept for piece in pieces}
        identity = {"id": str(contact.id)} if "id" in names else {}
        return self._without_nulls(contact, "", ",".join([*groups, f'"all":{dump(identity | values)}']))

    def _without_nulls(self, contact: Contact, values: str, fields: str) -> str:
        tags = ",".join(f'{{"id":{row["id"]},"tag":{dump(row["tag"])}}}' for row in self._tags(contact))
        dnc = dump([_plain_dnc(entry) for entry in contact.dnc])
        return (
            f'{{{_without_null(self._head(contact))},"id":{contact.id},"points":{contact.points}{values},'
            f'"fields":{{{fields}}},'
            f'"ipAddresses":{_ips(contact)},"tags":[{tags}],"utmtags":{dump(contact.utm)},'
            f'"dateIdentified":{dump(php_format.iso(contact.identified))},"doNotContact":{dnc},"frequencyRules":[]}}'
        )

    def _filled(self, contact: Contact) -> list[tuple[str, Any]]:
        fixed = (piece.alias for piece in self._pieces if piece.field["isFixed"])
        return [(alias, contact.values[alias]) for alias in fixed if alias in contact.values]

    def _plain_group(self, contact: Contact, pieces: list[Piece]) -> str:
        parts = []
        for piece in pieces:
            value = _value(contact, piece.alias)
            said = "" if value is None else f'"value":{dump(value)},'
            parts.append(f'"{piece.alias}":{piece.plain}{said}"normalizedValue":{dump(label_of(piece.field, value))}}}')
        return "{" + ",".join(parts) + "}" if parts else "[]"

    def _head(self, contact: Contact) -> str:
        return (
            f'"isPublished":true,"dateAdded":"{php_format.iso(contact.added)}",'
            f'"dateModified":{dump(php_format.iso(contact.modified))},'
            f'"createdBy":{dump(contact.created_by)},"createdByUser":{dump(contact.created_by_user)},'
            f'"modifiedBy":{dump(contact.modified_by)},"modifiedByUser":{dump(contact.modified_by_user)}'
        )

    def _fields(self, contact: Contact, made: bool, shown: Mapping[str, Any], number: str | None) -> str:
        self._refresh()
        flat: list[str] = []
        groups: list[str] = []
        for name, pieces in self._groups:
            described: list[str] = []
            for piece in pieces:
                self._field(contact, piece, made, shown, described, flat)
            groups.append(f'"{name}":{{{",".join(described)}}}' if described else f'"{name}":[]')
        if number is not None:
            quoted = number if number == "null" else f'"{number}"'
            groups.append(f'"all":{{"id":{quoted},{",".join(flat)}}}')
        return "{" + ",".join(groups) + "}"

    def _field(
        self,
        contact: Contact,
        piece: Piece,
        made: bool,
        shown: Mapping[str, Any],
        described: list[str],
        flat: list[str],
    ) -> None:
        value = shown[piece.alias] if piece.alias in shown else _value(contact, piece.alias)
        if value is EMPTIED:
            flat.append(f"{piece.key}:null")
            described.append(f'{piece.key}:{piece.read}"","normalizedValue":""}}')
            return
        if isinstance(value, Defaulted):
            flat.append(f"{piece.key}:{dump(value.value)}")
            described.append(f'{piece.key}:{piece.made if made else piece.read}null,"normalizedValue":""}}')
            return
        plainly = made and piece.alias not in shown
        if plainly and piece.alias == "last_active":
            value = None  # mautic:054, mautic:055.
        said = "null" if value is None else dump(value)
        flat.append(f"{piece.key}:{said}")
        if plainly and piece.alias == "points":
            said, value = "null", None
        normal = label_of(piece.field, value)
        label = said if normal is value else dump(normal)
        described.append(f'{piece.key}:{piece.made if made else piece.read}{said},"normalizedValue":{label}}}')

    def _tail(self, contact: Contact, as_put: bool, made: bool) -> str:
        tags = ",".join(dump(row) for row in self._tags(contact, as_put))
        utm = "null" if made else dump(contact.utm)
        return (
            f'"lastActive":{dump(php_format.iso(contact.last_active))},"owner":{self._owner(contact)},'
            f'"ipAddresses":{_ips(contact)},"tags":[{tags}],"utmtags":{utm},"stage":null,'
            f'"dateIdentified":{dump(php_format.iso(contact.identified))},"preferredProfileImage":null,'
            f'"doNotContact":{dump([_dnc(entry) for entry in contact.dnc])},"frequencyRules":[]'
        )

    def _tags(self, contact: Contact, as_put: bool = False) -> list[dict[str, Any]]:
        rows = [self._state.tags[number] for number in contact.tags]
        return rows if as_put else sorted(rows, key=lambda row: collate(row["tag"]))

    def _owner(self, contact: Contact) -> str:
        user = self._state.users.get(contact.owner or 0)
        if user is None:
            return "null"
        names = {name: user[name] for name in ("id", "username", "firstName", "lastName")}
        return dump({"createdByUser": None, "modifiedByUser": None, **names})

    def _refresh(self) -> None:
        if self._version == self._state.fields_version:
            return
        self._pieces = [self._piece(row) for row in self._state.lead_fields]
        self._groups = [(name, [each for each in self._pieces if each.field["group"] == name]) for name in GROUPS]
        self._version = self._state.fields_version

    def _piece(self, row: dict[str, Any]) -> Piece:
        about = {"label": row["label"], "alias": row["alias"], "type": row["type"]}
        made = {"id": row["id"], "group": row["group"], **about, "properties": row["properties"] or []}
        stored = {"object": "lead", "is_fixed": str(int(row["isFixed"]))}
        serialized = {"properties": self._state.serialized[row["alias"]]}
        read = {"id": str(row["id"]), **about, "group": row["group"], **stored, **serialized}
        plain = read if row["defaultValue"] is None else {**read, "default_value": row["defaultValue"]}
        read = {**read, "default_value": row["defaultValue"]}
        key = dump(row["alias"])
        return Piece(row, row["alias"], key, _opened(made), _opened(read), f"{dump(plain)[:-1]},")


def _truths_as_text(contact: Contact) -> dict[str, str]:
    return {alias: str(int(value)) for alias, value in contact.values.items() if isinstance(value, bool)}


def _without_null(head: str) -> str:
    return NULL.sub("", head)


def _opened(about: dict[str, Any]) -> str:
    return f'{dump(about)[:-1]},"value":'


def _value(contact: Contact, alias: str) -> Any:
    if alias == "points":
        return contact.points
    if alias == "last_active":
        return php_format.sql(contact.last_active) if contact.last_active else None
    value = contact.values.get(alias)
    return int(value) if isinstance(value, bool) else value


def _dnc(entry: dict[str, Any]) -> dict[str, Any]:
    shown = {name: entry[name] for name in ("id", "reason", "comments", "channel")}
    return {**shown, "channelId": entry.get("channelId")}


def _plain_dnc(entry: dict[str, Any]) -> dict[str, Any]:
    shown = {name: entry[name] for name in ("id", "dateAdded", "reason", "comments", "channel")}
    return {**shown, "channelId": entry["channelId"]} if entry.get("channelId") else shown


def _ips(contact: Contact) -> str:
    shown = (f'{{"ipAddress":{dump(each["ip"])},"id":{each["id"]},"ipDetails":{IP_DETAILS}}}' for each in contact.ips)
    return f"[{','.join(shown)}]"
