"""Compares people of the store with Mautic: one call for a hundred of them, another for those who were not found."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.events import Kind
from integration.identity import normalise_email
from integration.identity import visible
from integration.mapping import places
from integration.mapping.fields import fit
from integration.mapping.merge import merge
from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery
from integration.operations.reconciliation.book import Finding
from integration.operations.reconciliation.people import NO_RUN
from integration.operations.reconciliation.people import Person
from integration.operations.reconciliation.people import kinds_of
from integration.pipeline import desk as desks
from integration.pipeline import proof
from integration.pipeline.desk import Desk
from integration.pipeline.planning import Drawn
from integration.pipeline.planning import draw
from integration.pipeline.ports import Ports
from integration.plans import ContactWrite
from integration.plans import is_blank

#: What changed in the store so lately may still be on its way by webhook or poll.
ON_ITS_WAY = timedelta(minutes=10)
#: Fields shown of one difference; the rest is counted.
MOST_FIELDS = 30

_OPEN = Delivery.state.in_([literal_column("'waiting'"), literal_column("'ready'"), literal_column("'leased'")])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a full sync would write for one person: by kind of record, for their fields may differ for ever, and whole.

    A field is right when Mautic has the value of any of them. `hashes` are those of the contact link.
    """

    person: Person
    by_kind: Sequence[ContactWrite]
    whole: ContactWrite
    contact_id: int | None
    hashes: Mapping[str, str]

    @property
    def address(self) -> str:
        """Return the address the contact is looked for by."""
        return normalise_email(self.whole.email)


@dataclass
class Comparison:
    """Compares people with the Mautic of one connector."""

    ports: Ports
    connector: Connector
    client: MauticClient

    def compare(self, people: Sequence[Person]) -> tuple[list[Finding], int]:
        """Return what differs and how many people could be compared; raises ServiceError when Mautic fails."""
        wanted = self._wanted([person for person in people if person.sure and person.changes])
        by_address = reading.by_emails(self.client, [each.address for each in wanted])
        lost = [each.contact_id for each in wanted if each.contact_id and each.address not in by_address]
        by_id = reading.by_ids(self.client, lost)
        findings = (_finding(each, by_address.get(each.address, ()), by_id) for each in wanted)
        return [found for found in findings if found is not None], len(wanted)

    def _wanted(self, people: Sequence[Person]) -> list[Wanted]:
        """Return what is to be in Mautic for those who have nothing on its way there."""
        now = self.ports.clock.now()
        subjects = [person.subject for person in people]
        with self.ports.db.read() as session:
            desk = desks.lay(session, self.connector, subjects, frozenset({NO_RUN}))
            busy = _busy(session, self.connector.id, subjects)
            written = _written(session, self.connector.id, subjects)
        fresh = (p for p in people if p.subject not in busy and not _on_its_way(p, written.get(p.subject), now))
        return [wanted for person in fresh if (wanted := draw_wanted(person, desk)) is not None]


def draw_wanted(person: Person, desk: Desk) -> Wanted | None:
    """Return what a full sync would write for a person, None when it would write nothing or could not."""
    drawn = draw(person.line, desk)
    if drawn.write is None or not visible(drawn.write.email):
        return None
    by_kind = [_write_of(drawn, kind, desk) for kind in kinds_of(person.changes) if _plans(drawn, kind)]
    link = drawn.link
    return Wanted(person, by_kind, drawn.write, link.contact_id if link else None, link.hashes if link else {})


def _plans(drawn: Drawn, kind: Kind) -> list[Any]:
    return [drawn.plans[item.id] for item in drawn.planned if item.kind is kind]


def _write_of(drawn: Drawn, kind: Kind, desk: Desk) -> ContactWrite:
    return fit(merge(_plans(drawn, kind)).contact, desk.fields, known=drawn.link is not None)[0]


def _busy(session: Session, connector_id: int, subjects: Sequence[str]) -> set[str]:
    """Return whose changes are still owed to Mautic: they differ for good reason."""
    query = select(Delivery.subject).where(
        Delivery.connector_id == connector_id, Delivery.subject.in_(list(subjects)), _OPEN
    )
    return set(session.scalars(query))


def _written(session: Session, connector_id: int, subjects: Sequence[str]) -> dict[str, datetime]:
    query = select(ContactLink.subject, ContactLink.written_at).where(
        ContactLink.connector_id == connector_id, ContactLink.subject.in_(list(subjects))
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


def _of(wanted: Wanted, kind: str, sentence: str, detail: Mapping[str, Any], contact_id: int | None) -> Finding:
    source = wanted.person.source
    return Finding(kind, wanted.person.subject, sentence, source.kind, source.source_id, contact_id, detail)


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
    if not unlike:
        return None
    names = ", ".join(list(unlike)[:5])
    more = f" and {len(unlike) - 5} more" if len(unlike) > 5 else ""
    detail = dict(list(unlike.items())[:MOST_FIELDS])
    return _of(wanted, "differs", f"Contact {number} differs in {names}{more}.", detail, number)


def differences(wanted: Wanted, contact: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return alias -> [wanted, in Mautic] of all that fits none of the person's records."""
    by_kind = [(write, proof.differences(contact, _fields_of(write))) for write in wanted.by_kind]
    unlike: dict[str, list[Any]] = {}
    for _, differing in by_kind:
        for alias, values in differing.items():
            fine = alias in unlike or mended(alias, *values) or _ours(wanted.hashes, alias, *values)
            if not fine and _nowhere(alias, by_kind):
                unlike[alias] = values
    return unlike | proof.differences(contact, ContactWrite("", {}, wanted.whole.tags))


def _fields_of(write: ContactWrite) -> ContactWrite:
    return ContactWrite(write.email, write.fields)


def _nowhere(alias: str, by_kind: Iterable[tuple[ContactWrite, Mapping[str, Any]]]) -> bool:
    """Tell whether Mautic has the value of none of the records that have one."""
    return all(alias in differing for write, differing in by_kind if alias in write.fields or alias == "email")


def _ours(known: Mapping[str, str], alias: str, sent: Any, held: Any) -> bool:
    """Tell whether both values were written and confirmed: what a profile and an older order say differs for ever."""
    confirmed = {value for key, value in known.items() if key.partition(".")[2] == alias}
    if sent is None and _hash(alias, sent) in confirmed:
        # Mautic may keep a date that it was told to empty (465); to tell it once more would end nothing.
        return True
    forms = {_hash(alias, form) for form in (("", None) if is_blank(held) else (held,))}
    return _hash(alias, sent) in confirmed and not forms.isdisjoint(confirmed)


def _hash(alias: str, value: Any) -> str:
    return desks.hashes("", ContactWrite("", {alias: value}))[f".{alias}"]


def mended(alias: str, sent: Any, held: Any) -> bool:
    """Tell whether the value is what a repair made of it when Mautic refused it: another spelling, or cut off."""
    if held in places.alternates(alias, sent):
        return True
    text = str(held or "")
    return isinstance(sent, str) and text.endswith("…") and sent.startswith(text[:-1].rstrip())
