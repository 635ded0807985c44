"""What the stand-in Mautic keeps, in memory, with the indexes that make it fast."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from integration.clock import Clock
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.field_definitions import core_fields
from integration.sandbox.mautic.php_format import serialize

#: In the order of the Unicode collation.
SIGNS = " _-–—,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
TABLES = ("notes", "segments", "emails", "fields", "tags", "companies", "users", "roles", "hooks")


def fold(value: Any) -> str:
    """Return a value as Mautic's collation compares it: without letter case and blanks around (mautic:025)."""
    return str(value).strip().casefold()


def collate(name: str) -> list[int]:
    """Return what Mautic sorts names by: without letter case and accents, signs first.

    Recorded as mautic:127, mautic:130, mautic:421 to mautic:429.
    """
    bare = (each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return [place if (place := SIGNS.find(each)) >= 0 else len(SIGNS) + ord(each) for each in "".join(bare).casefold()]


class State:
    """Contacts by id; notes, segments, e-mails, fields, tags … as the API shows them, by id; `sent` e-mails in order.

    Hold `lock` while reading more than one thing; `changes` grows with every write. `major` is the version of Mautic.
    """

    def __init__(self, clock: Clock | None = None, major: int = 5) -> None:
        self.major = major
        self.lock = threading.RLock()
        self.clock = clock or Clock()
        self.changes = 0
        self.contacts: dict[int, Contact] = {}
        self.notes: dict[int, dict[str, Any]] = {}
        self.segments: dict[int, dict[str, Any]] = {}
        self.emails: dict[int, dict[str, Any]] = {}
        self.fields: dict[int, dict[str, Any]] = core_fields()
        self.tags: dict[int, dict[str, Any]] = {}
        self.companies: dict[int, dict[str, Any]] = {}
        self.users: dict[int, dict[str, Any]] = {}
        self.roles: dict[int, dict[str, Any]] = {}
        self.hooks: dict[int, dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self._last_ids: dict[str, int] = {"fields": max(self.fields)}
        self.reindex()

    def now(self) -> datetime:
        """Return the present second in UTC."""
        return self.clock.now().replace(microsecond=0)

    def next_id(self, table: str) -> int:
        """Return a new id; ids are never given twice."""
        self._last_ids[table] = self._last_ids.get(table, 0) + 1
        return self._last_ids[table]

    def reindex(self) -> None:
        """Build the indexes anew, after fields changed or a snapshot was loaded."""
        rows = sorted(self.fields.values(), key=lambda row: (row["order"], row["id"]))
        self.lead_fields = [row for row in rows if row["object"] == "lead" and row["isPublished"]]
        self.by_alias = {row["alias"]: row for row in self.lead_fields}
        self.unique = [row["alias"] for row in self.lead_fields if row["isUniqueIdentifier"]]
        self.serialized = {row["alias"]: serialize(row["properties"] or []) for row in self.lead_fields}
        self._owners: dict[str, dict[str, set[int]]] = {alias: {} for alias in self.unique}
        self._notes_of: dict[int, list[int]] = {}
        for note in self.notes.values():
            self._notes_of.setdefault(note["lead"], []).append(note["id"])
        self._tag_ids = {row["tag"]: number for number, row in self.tags.items()}
        for contact in self.contacts.values():
            self._enter(contact, contact.values)
        self.fields_version = getattr(self, "fields_version", 0) + 1

    def make_unique(self, alias: str, unique: bool = True) -> None:
        """Let a field identify contacts, as the e-mail does, or not any more; KeyError for an unknown one."""
        self.by_alias[alias]["isUniqueIdentifier"] = unique
        self.reindex()
        self.changes += 1

    def having(self, alias: str, value: Any) -> set[int]:
        """Return the ids of the contacts with that value in a unique field."""
        return self._owners[alias].get(fold(value), set())

    def contact(self, email: str) -> Contact | None:
        """Return the newest contact of that address."""
        found = self.having("email", email)
        return self.contacts[max(found)] if found else None

    def insert(self, contact: Contact) -> None:
        """Add a contact."""
        self.contacts[contact.id] = contact
        self._enter(contact, contact.values)
        self.changes += 1

    def update(self, contact: Contact, values: dict[str, Any]) -> None:
        """Set values of a contact; None empties a field, and a contact that was deleted meanwhile stays so."""
        if contact.id not in self.contacts:
            return
        for alias in self._owners.keys() & values.keys():
            self._owners[alias].get(fold(contact.values.get(alias)), set()).discard(contact.id)
        for alias, value in values.items():
            if value is None:
                contact.values.pop(alias, None)
            else:
                contact.values[alias] = value
        self._enter(contact, values)
        self.changes += 1

    def delete(self, contact: Contact) -> None:
        """Remove a contact with its notes."""
        for alias in self.unique:
            self._owners[alias].get(fold(contact.values.get(alias)), set()).discard(contact.id)
        del self.contacts[contact.id]
        for number in self._notes_of.pop(contact.id, []):
            del self.notes[number]
        self.changes += 1

    def _enter(self, contact: Contact, values: dict[str, Any]) -> None:
        for alias, owners in self._owners.items():
            if values.get(alias) is not None:
                owners.setdefault(fold(values[alias]), set()).add(contact.id)

    def tag_id(self, name: str) -> int:
        """Return the id of a tag, making it if need be; letter case makes another tag (mautic:127)."""
        if name not in self._tag_ids:
            number = self.next_id("tags")
            self.tags[number] = {"id": number, "tag": name, "description": None}
            self._tag_ids[name] = number
            self.changes += 1
        return self._tag_ids[name]

    def known_tag(self, name: str) -> int | None:
        """Return the id of a tag that is there."""
        return self._tag_ids.get(name)

    def tag_names(self, contact: Contact) -> list[str]:
        """Return the names of a contact's tags."""
        return [self.tags[number]["tag"] for number in contact.tags]

    def notes_of(self, contact_id: int) -> list[dict[str, Any]]:
        """Return the notes of a contact, oldest first: {"id", "text", "type", "dateTime", "lead"}."""
        return [self.notes[number] for number in self._notes_of.get(contact_id, [])]

    def add_note(self, note: dict[str, Any]) -> None:
        """Add a note; its `lead` is the id of a contact."""
        self.notes[note["id"]] = note
        self._notes_of.setdefault(note["lead"], []).append(note["id"])
        self.changes += 1

    def delete_note(self, note: dict[str, Any]) -> None:
        """Remove a note."""
        del self.notes[note["id"]]
        self._notes_of[note["lead"]].remove(note["id"])
        self.changes += 1

    def members(self, segment_id: int) -> list[Contact]:
        """Return the contacts of a segment."""
        return [contact for contact in self.contacts.values() if segment_id in contact.segments]

    def segment(self, alias: str) -> dict[str, Any] | None:
        """Return the segment of that alias."""
        return next((row for row in self.segments.values() if row["alias"] == alias), None)

    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""
        tables: dict[str, Any] = {name: getattr(self, name) for name in TABLES}
        rows = [contact.as_json() for contact in self.contacts.values()]
        return {**tables, "sent": self.sent, "contacts": rows, "last_ids": self._last_ids}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the state by what dump() gave."""
        for name in TABLES:
            setattr(self, name, _by_id(saved[name].items()))
        self.sent = saved["sent"]
        self.contacts = {row["id"]: Contact.from_json(row) for row in saved["contacts"]}
        self._last_ids = saved["last_ids"]
        self.reindex()
        self.changes += 1


def _by_id(pairs: Iterable[tuple[str, Any]]) -> dict[int, Any]:
    return {int(key): value for key, value in pairs}
