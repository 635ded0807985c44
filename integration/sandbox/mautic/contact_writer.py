"""Writing contacts: find the one that is meant, check what was sent, store it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import Crash, Invalid
from integration.sandbox.mautic.company_store import attach_by_name
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.contact_draft import Draft, Mode, is_blank
from integration.sandbox.mautic.contact_json import EMPTIED, Defaulted
from integration.sandbox.mautic.field_values import (
    BLANK,
    NOT_VALID,
    NotValid,
    Unreadable,
    cast,
    clean_email,
    in_words_of,
)
from integration.sandbox.mautic.request_body import entries
from integration.sandbox.mautic.state import State, collate, fold
from integration.sandbox.mautic.user_accounts import Caller

NOT_UNIQUE = "This field must be unique."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAG_MAX_CHARS = 191
#: Not even with overwriteWithBlank (mautic:465).
NEVER_EMPTIED = frozenset({"date", "datetime"})


class Writer:
    """Writes contacts into the state; `old` is a Mautic before 5.0, which refuses no duplicates."""

    def __init__(self, state: State, old: bool) -> None:
        self._state = state
        self._old = old

    def match(self, row: dict[str, Any]) -> Contact | None:
        """Return the newest contact with one of the unique values (mautic:024, mautic:025, mautic:297, mautic:298)."""
        found: set[int] = set()
        for alias in self._state.unique:
            value = row.get(alias)
            if isinstance(value, list | dict):
                raise Crash  # mautic:048.
            said = clean_email(value) if alias == "email" else php_format.trim(php_format.text(value))
            if value is not None and said:
                found |= self._state.having(alias, said)
        return self._state.contacts[max(found)] if found else None

    def prepare(self, row: dict[str, Any], contact: Contact | None, mode: Mode) -> Draft:
        """Return the checked write; Invalid 400 for values, 422 for a value that must be unique."""
        draft = Draft(contact, row, mode=mode)
        errors: dict[str, list[str]] = {}
        overwrite = bool(row.get("overwriteWithBlank")) or mode is Mode.PUT
        if overwrite and contact is None:
            draft.shown["points"] = 0  # mautic:114.
        for about in self._state.lead_fields:
            if self._is_wanting(draft, about):
                errors[about["alias"]] = [BLANK]
            elif about["alias"] in row or overwrite or (contact is None and about["defaultValue"]):
                self._field(draft, about, overwrite, errors)
        if row.get("owner") and not self._known_user(row["owner"]):
            errors["owner"] = [in_words_of(self._state.major, "select", NOT_VALID)]  # mautic:052.
        if errors:
            raise Invalid(errors)
        self._check_tags(row)
        self._check_unique(draft)
        return draft

    def _is_wanting(self, draft: Draft, about: dict[str, Any]) -> bool:
        """Tell whether a required field stays blank; a PATCH is asked only for what it sends."""
        alias = about["alias"]
        if not about["isRequired"] or about["defaultValue"] or not is_blank(about, draft.row.get(alias)):
            return False
        held = draft.contact.values.get(alias) if draft.contact else None
        return alias in draft.row if draft.mode is Mode.PATCH else held is None

    def _field(self, draft: Draft, about: dict[str, Any], overwrite: bool, errors: dict[str, list[str]]) -> None:
        alias = about["alias"]
        sent = draft.row.get(alias)
        if alias not in draft.row or is_blank(about, sent):
            self._blank(draft, about, overwrite)
            return
        if about["type"] != "boolean" and self._drops(draft, sent):
            return
        try:
            value = cast(about, sent, self._old)
        except NotValid as refused:
            errors[alias] = [in_words_of(self._state.major, about["type"], str(refused))]
        except Unreadable:
            return
        else:
            self._set(draft, alias, self._cut(about, value))

    def _drops(self, draft: Draft, sent: Any) -> bool:
        """Tell whether a number is lost: below 1 for a known contact, 0 for a new one (mautic:110, mautic:283,
        mautic:467).
        """
        if draft.mode is Mode.PUT or not php_format.is_zero(sent):
            return False
        return draft.contact is not None or float(sent) == 0

    def _cut(self, about: dict[str, Any], value: Any) -> Any:
        """Return a time as that version keeps it: seconds only since Mautic 7 (mautic:458)."""
        if about["type"] == "datetime" and self._state.major < 7:
            return f"{value[:-2]}00"
        return value

    def _blank(self, draft: Draft, about: dict[str, Any], overwrite: bool) -> None:
        alias, held = about["alias"], draft.contact.values.get(about["alias"]) if draft.contact else None
        if draft.contact is None and about["defaultValue"] and alias != "points" and about["type"] != "boolean":
            draft.values[alias] = about["defaultValue"]
            draft.shown[alias] = Defaulted(about["defaultValue"])
        elif not overwrite or alias == "points" or (held is not None and about["type"] in NEVER_EMPTIED):
            return
        elif held is None:
            draft.shown[alias] = 0.0 if about["type"] == "number" else ""  # mautic:027, mautic:105, mautic:112.
        elif draft.mode is not Mode.PATCH or alias in draft.row:
            draft.values[alias] = None
            draft.shown[alias] = 0.0 if about["type"] == "number" else EMPTIED

    def _set(self, draft: Draft, alias: str, value: Any) -> None:
        held = draft.contact.values.get(alias) if draft.contact else None
        if value in ("", None) or (value == held and type(value) is type(held)):
            return
        draft.values[alias] = value
        if isinstance(value, bool):
            draft.shown[alias] = value  # true in the answer that set it, 1 from then on (mautic:274, mautic:275).

    def _known_user(self, said: Any) -> bool:
        return php_format.text(said).isdigit() and int(said) in self._state.users

    def _check_tags(self, row: dict[str, Any]) -> None:
        if any(len(name) > TAG_MAX_CHARS for name in _tag_names(row.get("tags"))):
            raise Crash  # mautic:129.
        if self._state.major >= 7 and not all(isinstance(each, str) for each in entries(row.get("tags"))):
            raise Crash  # mautic:427, mautic:569.

    def _check_unique(self, draft: Draft) -> None:
        if self._old:
            return
        own = {draft.contact.id} if draft.contact else set()
        held = draft.contact.values if draft.contact else {}
        for alias in self._state.unique:
            value = draft.values.get(alias, held.get(alias))
            if value is not None and self._state.having(alias, value) - own:
                raise Invalid({alias: [NOT_UNIQUE]}, 422)  # mautic:115, mautic:119, mautic:179 to mautic:185.

    def write(self, draft: Draft, caller: Caller) -> Contact:
        """Store a checked write and return the contact."""
        contact = draft.contact
        if contact is None:
            contact = self._create(draft, caller)
            self._extras(contact, draft)
            return contact
        changed = bool(draft.values)
        self._points(contact, draft)
        self._state.update(contact, draft.values)
        if self._extras(contact, draft) or changed:
            self.stamp(contact, caller)
        return contact

    def _create(self, draft: Draft, caller: Caller) -> Contact:
        now = self._state.now()
        contact = Contact(self._state.next_id("contacts"), now, created_by=caller.id, created_by_user=caller.name)
        self._points(contact, draft)
        contact.values = {alias: value for alias, value in draft.values.items() if value is not None}
        contact.identified = now if contact.values else None
        if self._state.major >= 7:
            contact.modified, contact.modified_by, contact.modified_by_user = now, caller.id, caller.name
        self._state.insert(contact)
        return contact

    def stamp(self, contact: Contact, caller: Caller) -> None:
        """Note who changed a contact, and when; Mautic 7 leaves the time as it is (mautic:102, mautic:112,
        mautic:122).
        """
        now = self._state.now()
        if self._state.major < 7:
            contact.modified = now
        contact.modified_by, contact.modified_by_user = caller.id, caller.name
        contact.identified = contact.identified or now

    def _points(self, contact: Contact, draft: Draft) -> None:
        contact.points = draft.values.pop("points", contact.points)

    def _extras(self, contact: Contact, draft: Draft) -> bool:
        row = draft.row
        changed = self.tag(contact, row.get("tags"))
        # Does not count as a change of the contact (mautic:203).
        self.set_dnc(contact, entries(row.get("doNotContact")))
        if row.get("lastActive"):
            contact.last_active = php_format.moment(row["lastActive"]) or EPOCH  # mautic:054, mautic:055.
        if row.get("ipAddress"):
            self._ip(contact, php_format.text(row["ipAddress"]))
        self._owner(contact, draft)
        if draft.values.get("company"):
            attach_by_name(self._state, contact, draft.values["company"])
        self._state.changes += 1
        return changed

    def _owner(self, contact: Contact, draft: Draft) -> None:
        if draft.row.get("owner"):
            contact.owner = int(draft.row["owner"])
        elif self._old and draft.mode is Mode.NEW:
            contact.owner = None

    def _ip(self, contact: Contact, said: str) -> None:
        if all(each["ip"] != said for each in contact.ips):
            contact.ips.append({"id": self._state.next_id("ips"), "ip": said})

    def tag(self, contact: Contact, tags: Any) -> bool:
        """Add tags and remove those with '-' in front; tell whether anything changed (mautic:122-128)."""
        before = contact.tags = sorted(contact.tags, key=lambda number: collate(self._state.tags[number]["tag"]))
        names = _tag_names(tags)
        removable = {name: self._state.known_tag(name[1:]) for name in names}  # Not what this call makes (mautic:425).
        for name in names:
            if name.startswith("-"):
                contact.tags = [number for number in contact.tags if number != removable[name]]
            elif (number := self._state.tag_id(name)) not in contact.tags:
                contact.tags = [*contact.tags, number]
        return contact.tags != before

    def set_dnc(self, contact: Contact, wanted: Iterable[Any]) -> None:
        """Set or, with reason 0, remove do-not-contact entries (mautic:203, mautic:204)."""
        for each in wanted:
            about = each if isinstance(each, dict) else {}
            channel, reason = about.get("channel") or "email", int(about.get("reason", 3))
            if reason:
                self.add_dnc(contact, channel, reason, about.get("comments") or "")
            else:
                self.remove_dnc(contact, channel)

    def add_dnc(
        self, contact: Contact, channel: str, reason: int, comments: str, channel_id: int | None = None
    ) -> None:
        """Put a channel on the do-not-contact list, or change its entry (mautic:194, mautic:195, mautic:404)."""
        entry = next((each for each in contact.dnc if each["channel"] == channel), None)
        if entry is None:
            entry = {"id": self._state.next_id("dnc"), "channel": channel}
            contact.dnc.append(entry)
        # Another reason dates the entry anew and leaves its id.
        at = php_format.iso(self._state.now())
        entry.update(dateAdded=at, reason=reason, comments=comments, channelId=channel_id)
        self._state.changes += 1

    def remove_dnc(self, contact: Contact, channel: str) -> bool:
        """Take a channel off the list; tell whether it was on it (mautic:200, mautic:201)."""
        left = [each for each in contact.dnc if each["channel"] != channel]
        found = len(left) != len(contact.dnc)
        contact.dnc = left
        self._state.changes += 1
        return found

    def twin(self, draft: Draft, caller: Caller) -> Contact:
        """Save a contact a second time as a new one with the same values: the bug of mautic:365-369."""
        origin = draft.contact
        assert origin is not None
        merged = {**origin.values, **{alias: value for alias, value in draft.values.items() if value is not None}}
        emptied = {alias for alias, value in draft.values.items() if value is None}
        copy = Contact(
            self._state.next_id("contacts"), origin.added, points=origin.points, identified=origin.identified
        )
        copy.values = {alias: value for alias, value in merged.items() if alias not in emptied}
        copy.created_by, copy.created_by_user = origin.created_by, origin.created_by_user
        self.stamp(copy, caller)
        self._state.insert(copy)
        return copy


def _tag_names(tags: Any) -> list[str]:
    listed = tags.split(",") if isinstance(tags, str) else entries(tags)
    names = (php_format.strip_tags(php_format.text(each)).strip() for each in listed if each is not None)
    return [name for name in names if fold(name)]
