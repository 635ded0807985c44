"""Conflicts (D6): a field that somebody changed in Mautic after our last write and after the store's change."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from typing import Any

from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.pipeline import proof
from integration.pipeline.desk import fingerprint
from integration.pipeline.lines import Item
from integration.pipeline.planning import Drawn

#: What is done about it: the store's value is written, Mautic's is kept, or only empty fields are filled.
POLICIES = {"store": "The store wins", "mautic": "Mautic wins", "fill": "Only fill empty fields"}


def settle(client: MauticClient, drawn: Sequence[Drawn], policy: str) -> int:
    """Take the fields that Mautic keeps out of what is to be written, and return how many contacts were looked at.

    Nothing is read where the store wins. Raises ServiceError when Mautic cannot be read.
    """
    known = [one for one in drawn if policy != "store" and one.link and one.write and not one.unchanged]
    if not known:
        return 0
    held = reading.by_ids(client, [one.link.contact_id for one in known if one.link])
    for one in known:
        contact = held.get(one.link.contact_id) if one.link else None
        if contact is not None:
            keep_theirs(one, contact, policy)
    return len(known)


def keep_theirs(drawn: Drawn, contact: Mapping[str, Any], policy: str) -> None:
    """Leave the fields with somebody else's value out of one person's write and note both values."""
    assert drawn.write is not None, "only what is to be written can be in conflict"
    kept = dict(_foreign(drawn, contact, policy))
    if not kept:
        return
    drawn.conflicts.update(kept)
    left = {alias: value for alias, value in drawn.write.fields.items() if alias not in kept}
    drawn.write = replace(drawn.write, fields=left)
    drawn.unchanged = not left and not drawn.write.tags


def _foreign(drawn: Drawn, contact: Mapping[str, Any], policy: str) -> Iterator[tuple[str, list[Any]]]:
    assert drawn.write is not None, "only what is to be written can be in conflict"
    if _older(drawn, contact):
        return
    for alias, (ours, theirs) in proof.differences(contact, drawn.write).items():
        blank = theirs in (None, "")
        if alias in drawn.write.fields and not (blank and policy == "fill") and not _is_ours(drawn, alias, theirs):
            yield alias, [ours, theirs]


def _older(drawn: Drawn, contact: Mapping[str, Any]) -> bool:
    """Tell whether the contact was changed before the store's record was: the store's change is the newer one."""
    stamp = str(contact.get("dateModified") or "")
    newest = max((item.modified_at for item in drawn.planned if item.modified_at), default=None)
    if not stamp or newest is None:
        return not stamp
    changed = datetime.fromisoformat(stamp)
    return (changed if changed.tzinfo else changed.replace(tzinfo=UTC)) <= newest


def _is_ours(drawn: Drawn, alias: str, theirs: Any) -> bool:
    """Tell whether Mautic still has what we wrote last; Mautic tells numbers and truths in forms of its own."""
    written = {value for key, value in (drawn.link.hashes if drawn.link else {}).items() if key.endswith(f".{alias}")}
    if not written:
        return theirs in (None, "")
    return any(fingerprint(form) in written for form in _forms(theirs))


def _forms(value: Any) -> Iterator[Any]:
    yield value
    yield str(value)
    text = str(value).strip()
    if text in ("0", "1"):
        yield text == "1"
    try:
        number = float(text)
    except ValueError:
        return
    yield number
    if number == int(number):
        yield int(number)


def of_item(drawn: Drawn, item: Item) -> dict[str, list[Any]]:
    """Return the conflicts that a delivery's own values had a part in."""
    plan = drawn.plans.get(item.id)
    mine = plan.contact.fields if plan else {}
    return {alias: both for alias, both in drawn.conflicts.items() if alias in mine}


def sentence(conflicts: Mapping[str, Sequence[Any]]) -> str:
    """Return which values were kept, for the log."""
    named = [f"{alias} “{theirs}” (the store has “{ours}”)" for alias, (ours, theirs) in conflicts.items()]
    return f"Mautic's value was kept: {'; '.join(named)}."
