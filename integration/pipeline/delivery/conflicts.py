"""Conflicts (D6): a field that somebody changed in Mautic after our last write.

It is told by the value: what differs from what Mautic confirmed last is somebody else's. Where Mautic tells when the
contact was changed, a later change in the store overrules it; Mautic 7 leaves that date as it is (mautic:102).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.pipeline.delivery import read_back
from integration.pipeline.delivery.batch_context import fingerprint
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.delivery.planning import PersonPlan
from integration.store.dates import lenient

#: The versions of Mautic whose dateModified moves with each change.
_STAMPED = ("2.", "3.", "4.", "5.", "6.")
#: What is done about it: the store's value is written, Mautic's is kept, or only empty fields are filled.
POLICIES = {"store": "The store wins", "mautic": "Mautic wins", "fill": "Only fill empty fields"}


def settle(client: MauticClient, planned: Sequence[PersonPlan], policy: str) -> list[PersonPlan]:
    """Return the plans without the fields that Mautic keeps.

    Nothing is read where the store wins. Raises ServiceError when Mautic cannot be read.
    """
    ids = [one.link.contact_id for one in planned if policy != "store" and one.link and one.write and not one.unchanged]
    held = reading.by_ids(client, ids) if ids else {}
    stamped = client.version.startswith(_STAMPED)
    return [_settled(one, held, policy, stamped) for one in planned]


def _settled(planned: PersonPlan, held: Mapping[int, Mapping[str, Any]], policy: str, stamped: bool) -> PersonPlan:
    contact = held.get(planned.link.contact_id) if planned.link else None
    known = contact is not None and planned.write is not None and not planned.unchanged
    return keep_theirs(planned, contact, policy, stamped) if known and contact is not None else planned


def keep_theirs(planned: PersonPlan, contact: Mapping[str, Any], policy: str, stamped: bool) -> PersonPlan:
    """Return one person's plan without the fields that have somebody else's value, both values noted.

    `stamped` says that this Mautic's dateModified tells when a contact was changed.
    """
    assert planned.write is not None, "only what is to be written can be in conflict"
    kept = {} if _yields(planned, contact, stamped) else dict(_foreign(planned, contact, policy))
    if not kept:
        return planned
    left = {alias: value for alias, value in planned.write.fields.items() if alias not in kept}
    return replace(
        planned,
        conflicts={**planned.conflicts, **kept},
        write=replace(planned.write, fields=left),
        unchanged=not left and not planned.write.tags and planned.write.do_not_contact is None,
    )


def _foreign(planned: PersonPlan, contact: Mapping[str, Any], policy: str) -> Iterator[tuple[str, list[Any]]]:
    assert planned.write is not None, "only what is to be written can be in conflict"
    for alias, (ours, theirs) in read_back.differences(contact, planned.write).items():
        blank = theirs in (None, "")
        if alias in planned.write.fields and not (blank and policy == "fill") and not _is_ours(planned, alias, theirs):
            yield alias, [ours, theirs]


def _yields(planned: PersonPlan, contact: Mapping[str, Any], stamped: bool) -> bool:
    """Tell whether somebody changed the contact after our last write, and the store its record after that.

    A stamp from before our write is not of such a change, and nor is any of a Mautic that leaves it as it is.
    """
    changed = lenient(contact.get("dateModified")) if stamped else None
    newest = max((leased.modified_at for leased in planned.pending if leased.modified_at), default=None)
    written = planned.link.written_at if planned.link else None
    if changed is None or newest is None or written is None:
        return False
    return written < changed <= newest


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
