"""Conflicts (D6): a field that somebody changed in Mautic after our last write and after the store's change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.pipeline.delivery import read_back
from integration.pipeline.delivery.batch_context import fingerprint
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.delivery.planning import PersonPlan

#: What is done about it: the store's value is written, Mautic's is kept, or only empty fields are filled.
POLICIES = {"store": "The store wins", "mautic": "Mautic wins", "fill": "Only fill empty fields"}


def settle(client: MauticClient, planned: Sequence[PersonPlan], policy: str) -> list[PersonPlan]:
    """Return the plans without the fields that Mautic keeps.

    Nothing is read where the store wins. Raises ServiceError when Mautic cannot be read.
    """
    ids = [one.link.contact_id for one in planned if policy != "store" and one.link and one.write and not one.unchanged]
    held = reading.by_ids(client, ids) if ids else {}
    return [_settled(one, held, policy) for one in planned]


def _settled(planned: PersonPlan, held: Mapping[int, Mapping[str, Any]], policy: str) -> PersonPlan:
    contact = held.get(planned.link.contact_id) if planned.link else None
    known = contact is not None and planned.write is not None and not planned.unchanged
    return keep_theirs(planned, contact, policy) if known and contact is not None else planned


def keep_theirs(planned: PersonPlan, contact: Mapping[str, Any], policy: str) -> PersonPlan:
    """Return one person's plan without the fields that have somebody else's value, both values noted."""
    assert planned.write is not None, "only what is to be written can be in conflict"
    kept = dict(_foreign(planned, contact, policy))
    if not kept:
        return planned
    left = {alias: value for alias, value in planned.write.fields.items() if alias not in kept}
    return replace(
        planned,
        conflicts={**planned.conflicts, **kept},
        write=replace(planned.write, fields=left),
        unchanged=not left and not planned.write.tags,
    )


def _foreign(planned: PersonPlan, contact: Mapping[str, Any], policy: str) -> Iterator[tuple[str, list[Any]]]:
    assert planned.write is not None, "only what is to be written can be in conflict"
    if _older(planned, contact):
        return
    for alias, (ours, theirs) in read_back.differences(contact, planned.write).items():
        blank = theirs in (None, "")
        if alias in planned.write.fields and not (blank and policy == "fill") and not _is_ours(planned, alias, theirs):
            yield alias, [ours, theirs]


def _older(planned: PersonPlan, contact: Mapping[str, Any]) -> bool:
    """Tell whether the contact was changed before the store's record was: the store's change is the newer one."""
    stamp = str(contact.get("dateModified") or "")
    newest = max((leased.modified_at for leased in planned.pending if leased.modified_at), default=None)
    if not stamp or newest is None:
        return not stamp
    changed = datetime.fromisoformat(stamp)
    return (changed if changed.tzinfo else changed.replace(tzinfo=UTC)) <= newest


def _is_ours(planned: PersonPlan, alias: str, theirs: Any) -> bool:
    """Tell whether Mautic still has what we wrote last; Mautic tells numbers and truths in forms of its own."""
    written = {
        value for key, value in (planned.link.hashes if planned.link else {}).items() if key.endswith(f".{alias}")
    }
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


def of_delivery(planned: PersonPlan, leased: LeasedDelivery) -> dict[str, list[Any]]:
    """Return the conflicts that a delivery's own values had a part in."""
    plan = planned.plans.get(leased.id)
    mine = plan.contact.fields if plan else {}
    return {alias: both for alias, both in planned.conflicts.items() if alias in mine}


def sentence(conflicts: Mapping[str, Sequence[Any]]) -> str:
    """Return which values were kept, for the log."""
    named = [f"{alias} “{theirs}” (the store has “{ours}”)" for alias, (ours, theirs) in conflicts.items()]
    return f"Mautic's value was kept: {'; '.join(named)}."
