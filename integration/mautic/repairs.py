"""Makes a contact row acceptable that Mautic refused for the value of a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from integration.identity import normalise_email, person_key_of
from integration.mapping.field_map import address_aliases
from integration.mapping.text import shorten
from integration.mautic import do_not_contact
from integration.mautic.answers import message_of, names_a_value
from integration.mautic.results import ContactRow
from integration.plans import Adjustment, Value, below_one, is_blank

#: Other ways to write a value of a field, best first: (alias, value) -> values.
Alternates = Callable[[str, Any], Iterable[Value]]
#: Each text-like field holds 64 characters unless it was made longer (mautic:065 to mautic:068, mautic:295).
SHORT = 64
#: So often other spellings are tried for a row; after that a refused value is left out at once.
ROUNDS_MAX = 5
#: A number that stands alone: what is part of a quoted address tells no length.
_NUMBER = re.compile(r"(?<![\w@.+-])\d+(?![\w@+-]|\.\w)")
#: FILTER_SANITIZE_EMAIL keeps these beside letters and digits and drops the rest silently (mautic:032, dossier 4.1.2).
_ADDRESS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-=?^_`{|}~@.[]")


def no_alternates(alias: str, value: Any) -> Iterable[Value]:
    """Return nothing: the value has no other spelling."""
    return ()


def survives(email: str) -> bool:
    """Tell whether Mautic would store the address as it is, and not drop letters of it (mautic:032)."""
    return "@" in email and all(letter in _ADDRESS for letter in email.strip())


def told_limit(message: str, value: str) -> int:
    """Return the characters that a refusal says a field holds (mautic:065), 0 where it names none below the value's."""
    told = _NUMBER.search(message.replace(value, "") if value else message)
    return int(told[0]) if told and len(told[0]) < 6 and 1 < int(told[0]) < len(value) else 0


@dataclass(slots=True)
class Job:
    """The working state of one row: `fields` and `adjustments` change as Mautic refuses values.

    `seen` says that the contact behind `mautic_id` was seen to be this person. `first` is what came of the call that
    wrote the person: (outcome, request, row, status); it is set while the fields in `unique` follow by id, and those
    that are left `behind` since a row without id cannot empty them. `answered` is the contact of the last answer.
    """

    row: ContactRow
    alternates: Alternates = no_alternates
    mautic_id: int | None = None
    fields: dict[str, Value] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    adjustments: list[Adjustment] = field(default_factory=list)
    calls: int = 0
    rounds: int = 0
    with_email: bool = True
    searched: bool = False
    seen: bool = False
    unique: frozenset[str] = frozenset()
    first: tuple[Literal["created", "updated"], str, dict[str, Any], int] | None = None
    twins: tuple[int, ...] = ()
    behind: frozenset[str] = frozenset()
    answered: Mapping[str, Any] = field(default_factory=dict)
    _tried: dict[str, list[Value]] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, row: ContactRow, alternates: Alternates, unique: frozenset[str] = frozenset()) -> Job:
        """Return the job of a row; `id` and `email` are never taken from the fields."""
        fields = {alias: value for alias, value in row.write.fields.items() if alias not in ("id", "email", "tags")}
        return cls(row, alternates, row.mautic_id, fields, tuple(row.write.tags), seen=row.seen, unique=unique)

    @property
    def email(self) -> str:
        """Return the row's address."""
        return self.row.write.email.strip()

    @property
    def marks(self) -> set[str]:
        """Return what may stand only once in a batch: the id (mautic:365, mautic:166) and the address."""
        address = {normalise_email(self.email)} if self.email else set()
        return address | ({f"#{self.mautic_id}"} if self.mautic_id is not None else set())

    @property
    def sends_email(self) -> bool:
        """Tell whether the row says the address."""
        return bool(self.with_email and self.email and self.first is None)

    @property
    def held_back(self) -> dict[str, Value]:
        """Return the fields that go by id only: Mautic would find a contact by them (mautic:297), or they are left
        behind.
        """
        return {alias: value for alias, value in self.fields.items() if alias in self.unique | self.behind}

    def body(self) -> dict[str, Any]:
        """Return the row as it is sent; an empty list of tags is left out (dossier 4.3)."""
        if self.first is not None:
            return {"id": self.mautic_id, **_by_id(self.held_back)}
        if self.mautic_id is not None:
            body = {**_by_id(self.fields), "id": self.mautic_id}
        else:
            body = {k: v for k, v in self.fields.items() if k not in self.unique and not is_blank(v)}
        if self.sends_email:
            body["email"] = self.email
        if self.tags:
            body["tags"] = list(self.tags)
        if self.row.write.do_not_contact is not None:
            body[do_not_contact.ROW] = do_not_contact.row(self.row.write.do_not_contact)
        return body

    def is_at(self, address: str) -> bool:
        """Tell whether a contact with this address is the row's person; without an address its person key tells."""
        if address and person_key_of(address) in self.row.former:
            return True
        if self.email:
            return normalise_email(address) == normalise_email(self.email)
        return bool(address) and person_key_of(address) == self.row.key

    def leave_id(self, *, stranger: bool) -> None:
        """Go by the address: the contact behind the id is gone, or is a `stranger` by now."""
        if stranger:
            sentence = f"Contact {self.mautic_id}, which was this person's, has another address now: it was left alone."
            self._adjust("email", "changed", sentence)
        self.mautic_id, self.seen, self.first, self.behind = None, False, None, frozenset()

    def unsent(self, details: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the fields that a refusal names, in order, when the row said none of them; else nothing."""
        return () if names_a_value(self.body(), details) else tuple(sorted(details))

    def go_to(self, contact_id: int) -> None:
        """Aim at the contact that has the address; one that was known to be the person's is left with its own."""
        if self.mautic_id is not None:
            sentence = f"Contact {contact_id} has this e-mail address already and was written; "
            self._adjust("email", "changed", f"{sentence}contact {self.mautic_id} was left as it is.")
        self.mautic_id = contact_id

    @property
    def refused(self) -> tuple[str, ...]:
        """Return the fields whose value Mautic refused."""
        return tuple(self._tried)

    @property
    def limits(self) -> dict[str, int]:
        """Return alias -> the characters that Mautic's refusals have told, where the shortened value was taken."""
        return {alias: most for alias, most in self._told.items() if alias in self.fields}

    def ids_known(self) -> list[int]:
        """Return the contacts that are known to have the address."""
        return sorted({*self.twins, *([self.mautic_id] if self.mautic_id is not None else [])})

    def mend(self, details: Mapping[str, Any], *, taken: bool = False) -> bool:
        """Change or drop each refused value; False when nothing of the row is named.

        Recorded as mautic:037, mautic:042 to mautic:047, mautic:150, mautic:290.

        Values that are `taken`, since another contact has them and the field is a unique identifier, are dropped.
        """
        self.rounds += 1
        sent = self.body()
        named = [alias for alias in details if alias in self.fields and alias in sent]
        for alias in named:
            if taken:
                del self.fields[alias]
                self._adjust(alias, "left_out", f"Another contact in Mautic has this value of {alias}: left out.")
            else:
                self._mend_one(alias, message_of(details[alias]))
        if "tags" in details and self.tags:
            self.tags = ()
            self._adjust("tags", "left_out", "Mautic refused the tags, so they were left out.")
            return True
        return bool(named)

    def _mend_one(self, alias: str, message: str) -> None:
        value = self.fields[alias]
        tried = self._tried.setdefault(alias, [value])
        for other in self._others(alias, tried[0], message):
            if other not in tried:
                tried.append(other)
                self.fields[alias] = other
                return self._changed(alias, tried[0], other)
        del self.fields[alias]
        parts = set(address_aliases())
        if alias in parts and self.fields.keys() >= parts - {alias} and not is_blank(value):
            # An address is one value: the former one's part must not stay.
            self.fields[alias] = ""
        return self._adjust(alias, "left_out", f"Mautic refused the value of {alias} ({_short(message)}): left out.")

    def _others(self, alias: str, value: Value, message: str) -> Iterable[Value]:
        if self.rounds > ROUNDS_MAX:
            return
        yield from self.alternates(alias, value)
        if not isinstance(value, str):
            return
        most = told_limit(message, value) or (SHORT if len(value) > SHORT else 0)
        if most:
            self._told[alias] = most
            yield shorten(value, most)

    def _changed(self, alias: str, before: Value, after: Value) -> None:
        if isinstance(before, str) and isinstance(after, str) and before.startswith(after):
            self._adjust(alias, "shortened", f"The value of {alias} was shortened to {len(after)} characters.")
        else:
            self._adjust(alias, "changed", f"The value of {alias} was sent as “{after}”, as Mautic writes it.")

    def _adjust(self, alias: str, kind: str, sentence: str) -> None:
        self.adjustments = [each for each in self.adjustments if each.field != alias]
        self.adjustments.append(Adjustment(alias, kind, sentence))

    def twin(self, ids: tuple[int, ...]) -> None:
        """Aim at one of several contacts with this address, ours or else the oldest, without sending the address."""
        self.twins = ids
        self.with_email = False
        if self.mautic_id not in ids:
            self.mautic_id = min(ids)


def _by_id(fields: Mapping[str, Value]) -> dict[str, Any]:
    """Return the fields of a row with id: it empties blanks, and what Mautic would take for zero and ignore
    (mautic:111, mautic:467).

    Only by PATCH: by POST the same word would empty every field that is not sent (mautic:027).
    """
    row: dict[str, Any] = {alias: "" if below_one(value) else value for alias, value in fields.items()}
    return {**row, "overwriteWithBlank": True} if any(is_blank(value) for value in row.values()) else row


def _short(message: str) -> str:
    return message.strip().rstrip(".")[:120]
