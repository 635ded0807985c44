"""Turns a person's deliveries into one plan: each delivery mapped, the contact writes merged and fitted to Mautic."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from integration import streams
from integration.errors import MappingError
from integration.events import Kind
from integration.identity import person_key_of
from integration.mapping.consent import Consent
from integration.mapping.fields import fit
from integration.mapping.merge import merge
from integration.pipeline.consents import gate
from integration.pipeline.delivery import latest_order, precedence
from integration.pipeline.delivery.batch_context import BatchContext, Linked, hashes, unchanged
from integration.pipeline.delivery.follow_up_marks import Done, is_done
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.delivery.latest_order import NameSource
from integration.pipeline.delivery.person_context import PersonContext
from integration.pipeline.ingest.blocked import BLOCKED
from integration.plans import Adjustment, ContactWrite, Plan, Skip, Value

#: The person is left out of a batch because the store no longer has the record.
GONE = Skip("gone", "The record no longer exists in the store.")
CONTACT_GONE = Skip("contact_gone", "The contact was deleted in Mautic, so nothing of it has to change.")


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """A person's deliveries with their plans: `write` is None when nothing is to be sent to the contact.

    It is not changed once it is made; what is found out later makes another one. `conflicts` maps a field to
    [store, Mautic] where somebody else's value is kept (D6). `lost` are fields that were sent and that Mautic turned
    out not to have. `consents` are new entries of the consent ledger. `settled` says that the contact was seen to need
    nothing of what was to be written, which is to be remembered, `looked` that Mautic's Do Not Contact was looked at.
    What is `forced` is written even if nothing has changed.
    """

    group: DeliveryGroup
    link: Linked | None
    plans: Mapping[int, Plan] = field(default_factory=dict)
    skips: Mapping[int, Skip] = field(default_factory=dict)
    errors: Mapping[int, MappingError] = field(default_factory=dict)
    write: ContactWrite | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    unchanged: bool = False
    conflicts: Mapping[str, list[Value]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    consents: tuple[Consent, ...] = ()
    settled: bool = False
    looked: bool = False
    forced: bool = False

    @property
    def pending(self) -> list[LeasedDelivery]:
        """Return the deliveries that have something to do."""
        return [leased for leased in self.group.deliveries if leased.id in self.plans]


@dataclass
class _Draft:
    """A plan while it is made."""

    group: DeliveryGroup
    link: Linked | None
    plans: dict[int, Plan] = field(default_factory=dict)
    skips: dict[int, Skip] = field(default_factory=dict)
    errors: dict[int, MappingError] = field(default_factory=dict)
    write: ContactWrite | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    unchanged: bool = False
    consents: tuple[Consent, ...] = ()
    forced: bool = False

    @property
    def pending(self) -> list[LeasedDelivery]:
        """Return the deliveries that have something to do."""
        return [leased for leased in self.group.deliveries if leased.id in self.plans]

    def finished(self) -> PersonPlan:
        """Return the plan as it is now."""
        return PersonPlan(**vars(self))


def plan_group(
    group: DeliveryGroup, context: BatchContext, refused: Mapping[int, Skip] = MappingProxyType({})
) -> PersonPlan:
    """Map every delivery of a group and merge the results; errors stay with the delivery that caused them.

    `refused` are, by delivery id, those that the store says are not to be sent.
    """
    planned = _Draft(group, context.links.get(group.person_key))
    person = PersonContext.of(context, group, known=planned.link is not None)
    for leased in group.deliveries:
        if group.person_key in context.blocked:
            planned.skips[leased.id] = BLOCKED
        elif leased.id in refused:
            planned.skips[leased.id] = refused[leased.id]
        else:
            _plan(planned, leased, person)
    if planned.plans and planned.link is None:
        # Who becomes a contact by one of the records is known to the others.
        for leased in [leased for leased in group.deliveries if _is_unsynced(planned.skips.get(leased.id))]:
            _plan(planned, leased, person.as_known())
    if context.modules.consent.enabled:
        planned.consents = person.standing.new
    _agree(planned, context)
    _fit(planned, context, person.name_source)
    return planned.finished()


def _plan(planned: _Draft, leased: LeasedDelivery, person: PersonContext) -> None:
    planned.skips.pop(leased.id, None)
    try:
        made = plan_of(leased, person)
    except MappingError as error:
        planned.errors[leased.id] = error
        return
    if isinstance(made, Skip):
        planned.skips[leased.id] = made
    else:
        planned.plans[leased.id] = made


def plan_of(leased: LeasedDelivery, person: PersonContext) -> Plan | Skip:
    """Return what one delivery asks for; raises MappingError when its record cannot be mapped.

    A record under an address that the person's account has left is written at the address of today.
    """
    made = _by_consent(streams.of(leased.kind).plan(leased, person), leased, person)
    moved = person.batch.moved.get(person.group.person_key)
    if isinstance(made, Skip) or not moved:
        return made
    email = moved.get(person_key_of(made.contact.email), made.contact.email)
    return replace(made, contact=replace(made.contact, email=email))


def _by_consent(made: Plan | Skip, leased: LeasedDelivery, person: PersonContext) -> Plan | Skip:
    """Return what a record comes to by the person's consent, where it needs one."""
    batch, module = person.batch, person.modules.consent
    if not module.enabled or (isinstance(made, Skip) and made.code not in gate.PASSED):
        return made
    known = batch.consents.get(person.group.person_key, ())
    said = streams.of(leased.kind).consents(leased, module, known)
    if said is None:
        return made
    link = batch.links.get(person.group.person_key)
    confirmed = link.hashes.get(gate.DNC_KEY, "") if link else None
    email = said[0].email if said else ""
    return gate.passed(made, person.standing, module, gate.comment_of(batch.connector), confirmed, email)


def _is_unsynced(skip: Skip | None) -> bool:
    return skip is not None and skip.code == "status_not_synced"


def _agree(planned: _Draft, context: BatchContext) -> None:
    """Leave out what another record of the person has the last word on."""
    known = planned.link.hashes if planned.link else {}
    for number in precedence.older_accounts(planned.pending, known):
        del planned.plans[number]
        planned.skips[number] = precedence.OLDER_ACCOUNT
    precedence.keep_held_tags(planned.pending, planned.plans, known, context.people.rows(planned.group.person_key))


def _fit(planned: _Draft, context: BatchContext, name_source: NameSource) -> None:
    """Fit what each kind of record wants to Mautic, and keep only the kinds that have changed."""
    if not planned.plans:
        return
    try:
        by_kind = {kind: _fitted(planned, [kind], context) for kind in {leased.kind for leased in planned.pending}}
        changed = {kind for kind, fitted in by_kind.items() if _changed(planned, kind, fitted.write, context)}
        kinds = changed or by_kind.keys()
        whole = by_kind[next(iter(kinds))] if len(kinds) == 1 else _fitted(planned, kinds, context)
    except MappingError as error:
        planned.errors.update(dict.fromkeys(planned.plans, error))
        planned.plans.clear()
        return
    planned.write, planned.adjustments = whole.write, _once(whole.plan.adjustments, whole.adjustments)
    if any(streams.of(kind).in_ledger for kind in changed):
        planned.hashes.update(latest_order.notes(planned.write, name_source))
    planned.unchanged = not changed


class _Fitted(NamedTuple):
    """What records come to together, and their contact as Mautic takes it with what was changed for that."""

    plan: Plan
    write: ContactWrite
    adjustments: tuple[Adjustment, ...]


def _fitted(planned: _Draft, kinds: Collection[Kind], context: BatchContext) -> _Fitted:
    whole = merge([planned.plans[leased.id] for leased in planned.pending if leased.kind in kinds])
    return _Fitted(whole, *fit(whole.contact, context.fields, known=planned.link is not None))


def _changed(planned: _Draft, kind: Kind, fitted: ContactWrite, context: BatchContext) -> bool:
    deliveries = [leased for leased in planned.pending if leased.kind is kind]
    sums = context.sum_aliases if streams.of(kind).is_account else ()
    wanted = hashes(kind, fitted, precedence.adders(deliveries, planned.plans), sums)
    asserted = any(planned.plans[leased.id].asserted for leased in deliveries)
    resent = not context.resend.isdisjoint(leased.run_id for leased in deliveries)
    planned.forced |= asserted or resent
    if unchanged(planned.link, wanted) and not asserted and not resent:
        return False
    planned.hashes.update(wanted)
    if words := precedence.last_words(deliveries):
        planned.hashes[str(kind)] = max(words.values())
    return True


def _once(*groups: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
    return tuple({(a.field, a.sentence): a for group in groups for a in group}.values())


def sentences(adjustments: Sequence[Adjustment]) -> str:
    """Return what was changed in values as text for the log; what is the same for several fields is said once."""
    by_frame: dict[str, list[str]] = {}
    for adjustment in adjustments:
        names = _NAME.findall(adjustment.sentence)
        frame = adjustment.sentence.replace(f"“{names[0]}”", "“”", 1) if names else adjustment.sentence
        by_frame.setdefault(frame, []).append(names[0] if names else "")
    return " ".join(_said(frame, names) for frame, names in by_frame.items())


_NAME = re.compile(r"“([^”]+)”")


def _said(frame: str, names: list[str]) -> str:
    listed = "“" + "”, “".join(names) + "”"
    return frame.replace("“”", listed, 1) if names[0] else frame


def counts(planned: Sequence[PersonPlan], done: Collection[Done] = ()) -> Mapping[str, int]:
    """Return how many deliveries would be written, skipped and refused: the forecast of a dry run.

    `done` are the follow-ups that were done before.
    """
    written = sum(0 if d.unchanged and not _follow_ups(d, done) else len(d.plans) for d in planned)
    unchanged_ones = sum(len(d.plans) for d in planned if d.unchanged and not _follow_ups(d, done))
    return {
        "written": written,
        "skipped": sum(len(d.skips) for d in planned) + unchanged_ones,
        "failed": sum(len(d.errors) for d in planned),
    }


def _follow_ups(planned: PersonPlan, done: Collection[Done]) -> bool:
    acts = (act for plan in planned.plans.values() for act in plan.follow_ups)
    contact_id = planned.link.contact_id if planned.link else 0
    return any(not is_done(act, contact_id, done) for act in acts)
