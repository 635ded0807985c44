"""Read-back proof (X9): a sample of what was written is read from Mautic and compared with what was sent.

A row that went to another contact, or a field that Mautic ignored, is found in the same minute. Only what Mautic is
known to change by itself counts as equal, so a difference is one.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integration.mautic import do_not_contact, reading, shown
from integration.mautic.client import MauticClient
from integration.mautic.results import ContactRow, Receipt
from integration.mautic.same_value import alike, tag_key
from integration.plans import ContactWrite, Value

#: What Mautic itself changes all the time, or takes without keeping it as a field.
OWN = frozenset(
    {
        "id",
        "points",
        "last_active",
        "lastActive",
        "owner",
        "tags",
        "ipAddress",
        "overwriteWithBlank",
        do_not_contact.ROW,
    }
)
#: What a difference in Do Not Contact is called among the aliases.
BARRED = "do_not_contact"


@dataclass(frozen=True, slots=True)
class Sample:
    """A written contact that is to be read back; `write` is what the last call really sent of it."""

    key: str
    contact_id: int
    write: ContactWrite


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What reading one contact back gave; `differences` maps an alias to [sent, in Mautic], empty when all is right.

    `unknown` are fields that were sent and that the contact does not have.
    """

    key: str
    contact_id: int
    differences: Mapping[str, list[Any]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Tell whether Mautic has all that was sent."""
        return not self.differences

    @property
    def sentence(self) -> str:
        """Return what was found, for the log."""
        if self.proved:
            return f"Read back: contact {self.contact_id} has all that was sent."
        if "contact" in self.differences:
            return f"Read back: contact {self.contact_id} is not in Mautic, although Mautic confirmed it."
        named = [said(alias, *values) for alias, values in self.differences.items()]
        return f"Read back: contact {self.contact_id} differs: {'; '.join(named[:5])}."


def sample(
    rows: Sequence[ContactRow], receipts: Sequence[Receipt], chance: random.Random, most: int = 3
) -> list[Sample]:
    """Return up to `most` of the rows that Mautic confirmed, by chance, in the order of the rows."""
    confirmed = {r.key: r for r in receipts if r.error is None and r.mautic_id is not None and r.outcome != "failed"}
    written = [row for row in rows if row.key in confirmed]
    chosen = sorted(chance.sample(range(len(written)), min(most, len(written))))
    return [_sample(written[place], confirmed[written[place].key]) for place in chosen]


def _sample(row: ContactRow, receipt: Receipt) -> Sample:
    assert receipt.mautic_id is not None, "a contact was confirmed without an id"
    return Sample(row.key, receipt.mautic_id, row.write if receipt.sent is None else _sent(receipt.sent))


def _sent(body: Mapping[str, Any]) -> ContactWrite:
    """Return the write that a row of a call was, after all repairs."""
    fields = {alias: value for alias, value in body.items() if alias not in ("id", "email", "tags", *OWN)}
    barred = do_not_contact.of_row(body.get(do_not_contact.ROW))
    return ContactWrite(str(body.get("email") or ""), fields, tuple(body.get("tags") or ()), barred)


def read_back(client: MauticClient, samples: Sequence[Sample]) -> list[ReadBack]:
    """Read the sampled contacts in one call and return one proof each; raises ServiceError when Mautic fails."""
    if not samples:
        return []
    held = reading.by_ids(client, [each.contact_id for each in samples])
    return [_proof(each, held.get(each.contact_id)) for each in samples]


def _proof(wanted: Sample, contact: Mapping[str, Any] | None) -> ReadBack:
    if contact is None:
        return ReadBack(wanted.key, wanted.contact_id, {"contact": [wanted.contact_id, None]})
    unknown = shown.unknown(wanted.write.fields, contact)
    return ReadBack(wanted.key, wanted.contact_id, differences(contact, wanted.write), unknown)


def differences(contact: Mapping[str, Any], write: ContactWrite) -> dict[str, list[Any]]:
    """Return alias -> [sent, in Mautic] of all that a contact, as the API shows it, has otherwise than it was sent.

    Do Not Contact is BARRED -> [wanted, in Mautic]. Tags are "tag:x" -> [True, False] for one that is missing and
    [False, True] for one that should be gone.
    """
    held, about = reading.values_of(contact), reading.described(contact)
    wanted: dict[str, Value] = dict(write.fields) | ({"email": write.email} if write.email else {})
    unlike = {
        alias: [value, held.get(alias)]
        for alias, value in wanted.items()
        if alias not in OWN and not alike(value, held.get(alias), about.get(alias, {}))
    }
    return unlike | unlike_tags(write.tags, reading.tags_of(contact)) | _barred(write, contact)


def looked_at(contact: Mapping[str, Any]) -> list[Any]:
    """Return all of a contact that `differences` may look at: id, values, what is told of fields, tags, Do Not Contact.

    What Mautic changes by itself all the time is not in it, nor who changed the contact last and when.
    """
    values = {alias: value for alias, value in reading.values_of(contact).items() if alias not in OWN}
    about = [
        (alias, field.get("type"), field.get("properties"))
        for alias, field in reading.described(contact).items()
        if alias not in OWN
    ]
    return [contact.get("id"), values, about, contact.get("tags"), contact.get(do_not_contact.ROW, "not told")]


def _barred(write: ContactWrite, contact: Mapping[str, Any]) -> dict[str, list[Any]]:
    unlike = do_not_contact.differs(write.do_not_contact, contact) if write.do_not_contact is not None else None
    return {BARRED: list(unlike)} if unlike else {}


def unlike_tags(wanted: Sequence[str], held: Sequence[str]) -> dict[str, list[Any]]:
    """Return "tag:x" -> [wanted, in Mautic] of the tags that are otherwise; "-x" is one that is to be gone."""
    there = {tag_key(tag) for tag in held}
    unlike: dict[str, list[Any]] = {}
    for tag in wanted:
        name, present = tag.removeprefix("-"), not tag.startswith("-")
        if tag_key(name) and (tag_key(name) in there) != present:
            unlike[f"tag:{name}"] = [present, not present]
    return unlike


def said(alias: str, sent: Any, held: Any) -> str:
    """Return one difference in words."""
    if alias == BARRED:
        return f"Do Not Contact is {'missing' if sent else 'still set'}"
    if alias.startswith("tag:"):
        return f"the tag {_shown(alias.removeprefix('tag:'))} is {'missing' if sent else 'still there'}"
    return f"{alias} is {_shown(held)} instead of {_shown(sent)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, ""):
        return "empty"
    text = str(value)
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"
