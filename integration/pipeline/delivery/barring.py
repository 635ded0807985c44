"""Looks at Mautic's Do Not Contact before it is changed: one read for a hundred people, and only of those it is due of.

What is there already is left as it is: an unsubscription or a bounce of Mautic's own outweighs the shop's yes, and set
anew it would lose its reason (mautic:195), so that a later yes of the shop would take it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from integration.identity import normalise_email
from integration.mautic import do_not_contact, reading
from integration.mautic.client import MauticClient
from integration.mautic.do_not_contact import BOUNCED, UNSUBSCRIBED, Barred
from integration.pipeline.consents import gate
from integration.pipeline.delivery.batch_context import unchanged
from integration.pipeline.delivery.planning import PersonPlan
from integration.plans import Adjustment, DoNotContact

Contact = Mapping[str, Any]
_WHY = {UNSUBSCRIBED: "the person unsubscribed", BOUNCED: "an e-mail bounced"}


def settle(client: MauticClient, planned: Sequence[PersonPlan]) -> list[PersonPlan]:
    """Return the plans so that Do Not Contact is only set where nothing stands, and only ours is taken away.

    Raises ServiceError when Mautic cannot be read; then nobody is barred or freed on a guess.
    """
    confirmed = [_without(one) if _is_confirmed(one) else one for one in planned]
    due = [one for one in confirmed if _is_due(one)]
    if not due:
        return confirmed
    found = _contacts(client, due)
    return [_settled(one, found.get(one.group.person_key)) if _is_due(one) else one for one in confirmed]


def _wanted(planned: PersonPlan) -> DoNotContact | None:
    return planned.write.do_not_contact if planned.write is not None and not planned.unchanged else None


def _is_due(planned: PersonPlan) -> bool:
    return _wanted(planned) is not None and not planned.looked


def _is_confirmed(planned: PersonPlan) -> bool:
    """Tell whether Mautic has confirmed before what is wanted."""
    known = planned.link.hashes.get(gate.DNC_KEY) if planned.link else None
    return _is_due(planned) and known == planned.hashes.get(gate.DNC_KEY, "")


def _contacts(client: MauticClient, due: Sequence[PersonPlan]) -> dict[str, Contact]:
    """Return person key -> the contact as it is; a linked one that is gone may be there under another id."""
    linked = {one.group.person_key: one.link.contact_id for one in due if one.link is not None}
    held = reading.by_ids(client, linked.values()) if linked else {}
    found: dict[str, Contact] = {key: held[number] for key, number in linked.items() if number in held}
    rest = {one.group.person_key: _address(one) for one in due if one.group.person_key not in found}
    there = reading.by_emails(client, rest.values()) if any(rest.values()) else {}
    return found | {key: there[address][0] for key, address in rest.items() if address in there}


def _address(planned: PersonPlan) -> str:
    return normalise_email(planned.write.email) if planned.write is not None else ""


def _settled(planned: PersonPlan, contact: Contact | None) -> PersonPlan:
    wanted = _wanted(planned)
    assert wanted is not None, "only who is to be barred or freed is looked at"
    there = do_not_contact.of_contact(contact) if contact is not None else None
    needed = there is None if wanted.wanted else there is not None and there.is_ours(wanted.comment)
    return replace(planned, looked=True) if needed else _without(planned, _left(wanted, there))


def _without(planned: PersonPlan, said: Sequence[Adjustment] = ()) -> PersonPlan:
    """Return the plan without Do Not Contact; where nothing else has changed, nothing is sent."""
    assert planned.write is not None, "only a plan with a write says it"
    others = {key: value for key, value in planned.hashes.items() if key != gate.DNC_KEY}
    idle = not planned.forced and unchanged(planned.link, others)
    return replace(
        planned,
        write=replace(planned.write, do_not_contact=None),
        adjustments=(*planned.adjustments, *said),
        unchanged=idle,
        settled=idle,
        looked=True,
    )


def _left(wanted: DoNotContact, there: Barred | None) -> tuple[Adjustment, ...]:
    if there is None or there.is_ours(wanted.comment):
        return ()
    why = _WHY.get(there.reason, "it was set in Mautic")
    sentence = f"The contact is on Mautic's Do Not Contact ({why}), which was left as it is."
    return (Adjustment("do_not_contact", "kept", sentence),)
