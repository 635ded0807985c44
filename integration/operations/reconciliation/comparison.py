"""Compares people of the store with Mautic: one call for a hundred of them, another for those who were not found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, union
from sqlalchemy.orm import Session

from integration.digests import row_digest
from integration.mapping import places
from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.operations.reconciliation import agreed
from integration.operations.reconciliation.findings import Finding
from integration.operations.reconciliation.people import NO_RUN, Person
from integration.operations.reconciliation.wanted import Wanted, plan_wanted
from integration.pipeline.delivery import batch_context as batch_context, order_categories, read_back
from integration.pipeline.delivery.planning import PersonPlan, plan_group
from integration.pipeline.outbox.states import open_of_people
from integration.pipeline.services import Services
from integration.plans import ContactWrite, is_blank

#: What changed in the store so lately may still be on its way by webhook or poll.
ON_ITS_WAY = timedelta(minutes=10)
#: Fields shown of one difference; the rest is counted.
FIELDS_MAX = 30

_THEIRS = select(Delivery.person_key).where(
    Delivery.connector_id == bindparam("connector_id"), among(Delivery.person_key, bindparam("person_keys"))
)
_BUSY = union(*open_of_people(_THEIRS))


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs, how many people could be compared, and the stamps of those of whom nothing differs, by person."""

    findings: Sequence[Finding] = ()
    checked: int = 0
    stamps: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Comparison:
    """Compares people with the Mautic of one connector."""

    services: Services
    connector: Connector
    client: MauticClient

    def compare(self, people: Sequence[Person], *, with_profiles: bool = True) -> Compared:
        """Return what differs; raises ServiceError when Mautic fails.

        Without profiles nothing is told of what only they could tell.
        """
        sure = [person for person in people if person.sure and person.changes]
        found = self._wanted(sure) if sure else []
        wanted = [replace(each, with_profile=with_profiles) for each in found]
        by_address = reading.by_emails(self.client, [each.address for each in wanted])
        lost = [each.contact_id for each in wanted if each.contact_id and each.address not in by_address]
        by_id = reading.by_ids(self.client, lost)
        verdicts = [(each, _finding(each, by_address.get(each.address, ()), by_id)) for each in wanted]
        fine = (each for each, finding in verdicts if finding is None)
        stamps = {each.person.person_key: stamp for each in fine if (stamp := _stamp(each, by_address))}
        return Compared([finding for _, finding in verdicts if finding is not None], len(wanted), stamps)

    def former(self, people: Sequence[Person], contacts: Mapping[int, Mapping[str, Any]]) -> list[Finding]:
        """Return what linked contacts still say of orders that are gone; `people` have no order left."""
        person_keys = [person.person_key for person in people]
        with self.services.db.read() as session:
            context = batch_context.lay(session, self.connector, person_keys, frozenset({NO_RUN}))
            busy = busy_now(session, self.connector.id, person_keys)
        planned = [(person, plan_group(person.group, context)) for person in people if person.person_key not in busy]
        findings = [_emptied(person, one, contacts) for person, one in planned]
        return [found for found in findings if found is not None]

    def _wanted(self, people: Sequence[Person]) -> list[Wanted]:
        """Return what is to be in Mautic for those who have nothing on its way there."""
        now = self.services.clock.now()
        person_keys = [person.person_key for person in people]
        with self.services.db.read() as session:
            stored = agreed.stored(session, self.connector, person_keys)
            context = batch_context.lay(session, self.connector, person_keys, frozenset({NO_RUN}))
            context = order_categories.laid(session, context, [person.group for person in people])
            busy = busy_now(session, self.connector.id, person_keys)
            written = _written(session, self.connector.id, person_keys)
        fresh = (p for p in people if p.person_key not in busy and not _on_its_way(p, written.get(p.person_key), now))
        found = (plan_wanted(person, context, stored[person.person_key]) for person in fresh)
        return [wanted for wanted in found if wanted is not None]


def _stamp(wanted: Wanted, by_address: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the stamp of a person of whom nothing differs, "" where such a verdict is not to be known again."""
    person, contact = wanted.person, agreed.only(by_address, wanted.address)
    known_by = agreed.address_of(person.person_key, [wanted.whole.email])
    if contact is None or not (wanted.stored and wanted.with_profile and known_by):
        return ""
    rows = map(row_digest, person.rows)
    return agreed.stamp(wanted.stored, rows, person.further, agreed.of_contact(contact))


def busy_now(session: Session, connector_id: int, person_keys: Sequence[str]) -> set[str]:
    """Return whose changes are still on their way to Mautic: they differ for good reason."""
    return set(session.scalars(_BUSY, {"connector_id": connector_id, "person_keys": list(person_keys)}))


def _written(session: Session, connector_id: int, person_keys: Sequence[str]) -> dict[str, datetime]:
    query = select(ContactLink.person_key, ContactLink.written_at).where(
        ContactLink.connector_id == connector_id, among(ContactLink.person_key, person_keys)
    )
    return dict(session.execute(query).tuples().all())


def _on_its_way(person: Person, written_at: datetime | None, now: datetime) -> bool:
    changed = person.modified_at
    if changed is None or now - changed > ON_ITS_WAY:
        return False
    return written_at is None or written_at < changed


# -- what was found ---------------------------------------------------------------------------------------------------


def _finding(
    wanted: Wanted, found: Sequence[Mapping[str, Any]], by_id: Mapping[int, Mapping[str, Any]]
) -> Finding | None:
    if len(found) > 1:
        return _doubled(wanted, [number_of(contact) for contact in found])
    contact = found[0] if found else by_id.get(wanted.contact_id or 0)
    if contact is None:
        return _missing(wanted)
    return _differing(wanted, contact)


def _emptied(person: Person, planned: PersonPlan, contacts: Mapping[int, Mapping[str, Any]]) -> Finding | None:
    write, link = planned.write, planned.link
    if write is None or link is None or link.contact_id not in contacts:
        return None
    return _differing(Wanted(person, [write], write, link.contact_id, link.hashes), contacts[link.contact_id])


def _of(wanted: Wanted, kind: str, sentence: str, detail: Mapping[str, Any], contact_id: int | None) -> Finding:
    source = wanted.person.source
    return Finding(kind, wanted.person.person_key, sentence, source.kind, source.source_id, contact_id, detail)


def _missing(wanted: Wanted) -> Finding:
    sentence = "Mautic has no contact with this e-mail address."
    if wanted.contact_id:
        sentence = f"Mautic has no contact with this e-mail address; contact {wanted.contact_id} is gone."
    return _of(wanted, "missing", sentence, {"email": [wanted.whole.email, None]}, None)


def _doubled(wanted: Wanted, ids: Sequence[int]) -> Finding:
    listed = ", ".join(str(number) for number in ids)
    sentence = f"Mautic has {len(ids)} contacts with this e-mail address: {listed}. Merge them in Mautic."
    return _of(wanted, "doubled", sentence, {"contacts": list(ids)}, min(ids))


def _differing(wanted: Wanted, contact: Mapping[str, Any]) -> Finding | None:
    number = number_of(contact)
    unlike = differences(wanted, contact)
    if wanted.contact_id not in (None, number):
        unlike["contact"] = [number, wanted.contact_id]
    unlike = {alias: values for alias, values in unlike.items() if alias not in wanted.untold}
    if not unlike:
        return None
    names = ", ".join(list(unlike)[:5])
    more = f" and {len(unlike) - 5} more" if len(unlike) > 5 else ""
    detail = dict(list(unlike.items())[:FIELDS_MAX])
    return _of(wanted, "differs", f"Contact {number} differs in {names}{more}.", detail, number)


def differences(wanted: Wanted, contact: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return alias -> [wanted, in Mautic] of all that fits none of the person's records."""
    writes = (*wanted.by_kind, *wanted.without_unsynced)
    by_kind = [(write, read_back.differences(contact, _fields_of(write))) for write in writes]
    unlike: dict[str, list[Any]] = {}
    for _, differing in by_kind:
        for alias, values in differing.items():
            fine = alias in unlike or mended(alias, *values) or _ours(wanted.hashes, alias, *values)
            if not fine and _nowhere(alias, by_kind):
                unlike[alias] = values
    whole = ContactWrite("", {}, wanted.whole.tags, wanted.whole.do_not_contact)
    return unlike | read_back.differences(contact, whole)


def _fields_of(write: ContactWrite) -> ContactWrite:
    return ContactWrite(write.email, write.fields)


def _nowhere(alias: str, by_kind: Iterable[tuple[ContactWrite, Mapping[str, Any]]]) -> bool:
    """Tell whether Mautic has the value of none of the records that have one."""
    return all(
        alias in differing
        for write, differing in by_kind
        if alias in write.fields or (alias == "email" and write.email)
    )


def _ours(known: Mapping[str, str], alias: str, sent: Any, held: Any) -> bool:
    """Tell whether both values were written and confirmed: what a profile and an older order say differs for ever."""
    confirmed = {value for key, value in known.items() if key.partition(".")[2] == alias}
    if sent is None and _hash(alias, sent) in confirmed:
        # Mautic may keep a date that it was told to empty (mautic:465); to tell it once more would end nothing.
        return True
    forms = {_hash(alias, form) for form in (("", None) if is_blank(held) else (held,))}
    return _hash(alias, sent) in confirmed and not forms.isdisjoint(confirmed)


def _hash(alias: str, value: Any) -> str:
    return batch_context.hashes("", ContactWrite("", {alias: value}))[f".{alias}"]


def mended(alias: str, sent: Any, held: Any) -> bool:
    """Tell whether the value is what a repair made of it when Mautic refused it: another spelling, or cut off."""
    if held in places.alternates(alias, sent):
        return True
    text = str(held or "")
    return isinstance(sent, str) and text.endswith("…") and sent.startswith(text[:-1].rstrip())
