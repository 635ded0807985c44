"""Asks Mautic what came of a call whose answer was lost, before anything of it is sent again.

Mautic goes on working when a gateway or the connection has given up, and saves one row after the other. So its silence
is taken for an end only when two looks, a pause apart, find the same: until then a row sent again could make a person
twice (175, 187), or a note.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integration.errors import ServiceError, Unreachable
from integration.identity import normalise_email, person_key_of
from integration.mautic import reading
from integration.mautic.answers import SERVICE
from integration.mautic.batches import pause_s
from integration.mautic.client import MauticClient
from integration.mautic.notes import NoteWriter
from integration.mautic.paging import number_of
from integration.mautic.results import LostCall, Receipt
from integration.mautic.verdicts import answer_lost
from integration.models.database import Database
from integration.models.rekeying import addresses_in
from integration.pipeline import outbox
from integration.pipeline.delivery import follow_ups, read_back, retries
from integration.pipeline.delivery.acts import Followed
from integration.pipeline.delivery.batch_context import Linked
from integration.pipeline.delivery.follow_up_marks import key_of
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.outbox import LookedUpCall
from integration.plans import Adjustment, Note

#: How much of a person was found: nothing, the contact, the contact with all its values; NOTE more for each note.
ABSENT, THERE, COMPLETE, NOTE = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: `seen` by person key, `receipts` of the people who have all that was to be written.

    `planned` are the plans of all, linked to the contacts that were found. `over` says that Mautic is done with the
    call, so that the rest may be sent.
    """

    seen: Mapping[str, int]
    over: bool
    receipts: Sequence[Receipt]
    looked_up: LookedUpCall
    planned: Sequence[PersonPlan]

    @property
    def sentence(self) -> str:
        """Return what was found, for the log of a run."""
        found = sum(score > ABSENT for score in self.seen.values())
        missing = len(self.seen) - found
        what = f"The answer to a call of {self.looked_up.sent_at:%H:%M:%S} UTC was lost"
        if not self.over:
            return f"{what}: {found} of its {len(self.seen)} people are in Mautic so far; it is looked at again."
        return f"{what}: {found} of its people were found in Mautic and taken over, {missing} were not and are sent."

    @property
    def error(self) -> Unreachable:
        """Return why the people wait, for their records."""
        sentence = "Mautic's answer was lost, and it may still be at work on this record."
        return Unreachable(SERVICE, "unanswered", sentence, "It is looked up before it is sent again.")


@dataclass
class InQuestion:
    """People of one call of a batch that got no answer: when they are looked up first, and how long after that."""

    person_keys: frozenset[str]
    pause: timedelta
    wait: timedelta

    @classmethod
    def after(cls, person_keys: Iterable[str], pause_seconds: float) -> InQuestion:
        """Return the people to be looked up after a pause."""
        pause = timedelta(seconds=pause_seconds)
        return cls(frozenset(person_keys), pause, pause)

    def put_off(self, leased: LeasedDelivery, chance: random.Random) -> timedelta | None:
        """Return how long a delivery waits; None when it was tried alone so often that it is to blame itself.

        The tries of several people together say nothing of any of them and are not counted.
        """
        if self.is_of_one:
            delay = retries.delay(leased.faults + 1, chance)
            if delay is None:
                return None
            self.wait = max(self.wait, delay)
        return self.wait

    @property
    def is_of_one(self) -> bool:
        """Tell whether nobody else was in the call."""
        return len(self.person_keys) == 1


@dataclass
class Question:
    """What is in question of a batch: the call that was looked up, and calls of its own without an answer."""

    looked_up: LookedUpCall | None = None
    look: Look | None = None
    calls: list[InQuestion] = field(default_factory=list)

    def add_call(self, lost: LostCall | None) -> None:
        """Take a write of contacts that got no answer."""
        if lost is not None:
            self.calls.append(InQuestion.after(lost.keys, lost.pause_s))

    def add_follow_ups(self, followed: Iterable[Followed]) -> None:
        """Take the follow-ups that got no answer."""
        errors = ((result.act.leased.person_key, result.error) for result in followed)
        people = {person_key for person_key, error in errors if isinstance(error, ServiceError) and answer_lost(error)}
        if people:
            self.calls.append(InQuestion.after(people, pause_s(len(people))))

    def of(self, person_key: str) -> InQuestion | None:
        """Return the call without an answer that a person is of."""
        return next((call for call in self.calls if person_key in call.person_keys), None)

    def write(self, session: Session, now: datetime, connector_id: int, token: str, person_keys: Iterable[str]) -> None:
        """Keep what is in question and let go of what is not any more, in the caller's transaction."""
        if self.looked_up is not None:
            if self.look is not None and self.look.over:
                outbox.close(session, now, connector_id, self.looked_up, set(person_keys))
            else:
                outbox.look_again(session, now, self.looked_up, self.look.seen if self.look else None)
        for call in self.calls:
            outbox.put_in_question(session, now, connector_id, token, call.person_keys, call.pause, call.wait)


def look(
    db: Database, connector_id: int, client: MauticClient, looked_up: LookedUpCall, planned: Sequence[PersonPlan]
) -> Look:
    """Look the people of a call up in Mautic; who is found there is linked to the contact.

    Raises ServiceError when Mautic cannot be read.
    """
    found = reading.by_emails(client, [one.write.email for one in planned if _is_looked_up(one) and one.write])
    taken = [_taken_over(one, found) for one in planned]
    linked, receipts = [one for one, _ in taken], [receipt for _, receipt in taken if receipt is not None]
    wanted = [one for one in linked if one.write is not None and one.pending]
    complete = {receipt.key for receipt in receipts} | {one.group.person_key for one in wanted if one.unchanged}
    notes, missing = _notes(db, connector_id, client, wanted)
    there = {one.group.person_key for one in wanted if one.write and normalise_email(one.write.email) in found}
    seen = {
        person_key: (COMPLETE if person_key in complete else THERE if person_key in there else ABSENT)
        + NOTE * notes.get(person_key, 0)
        for person_key in (one.group.person_key for one in wanted)
    }
    agree = looked_up.looks > 0 and all(score == looked_up.seen.get(person_key) for person_key, score in seen.items())
    whole = not missing and complete >= seen.keys()
    return Look(seen, agree or whole, receipts, looked_up, linked)


def made_unseen(client: MauticClient, planned: Sequence[PersonPlan]) -> Mapping[str, Linked]:
    """Return by person key the contacts of people of whom nothing is to be written, being unknown as far as we saw.

    A call whose answer was lost may have made them, and what it wrote be wrong by now: an order that is gone since.
    Raises ServiceError when Mautic cannot be read.
    """
    unknown = [one for one in planned if one.link is None and one.write is None and one.skips]
    addresses = {one.group.person_key: set(_addresses(one)) for one in unknown}
    found = reading.by_emails(client, [each for own in addresses.values() for each in own]) if unknown else {}
    ids = {key: [number_of(found[each][0]) for each in own if each in found] for key, own in addresses.items()}
    return {key: Linked(numbers[0], {}) for key, numbers in ids.items() if numbers}


def _addresses(planned: PersonPlan) -> Iterator[str]:
    """Return the normalised addresses in a person's records that are this person's."""
    for leased in planned.group.deliveries:
        for address in addresses_in(leased.payload):
            if person_key_of(address) == planned.group.person_key:
                yield normalise_email(address)


def _is_looked_up(planned: PersonPlan) -> bool:
    return planned.write is not None and bool(planned.pending) and not planned.unchanged


def _taken_over(
    planned: PersonPlan, found: Mapping[str, Sequence[Mapping[str, object]]]
) -> tuple[PersonPlan, Receipt | None]:
    """Link a person to the contact with their address; the receipt says that it has all that is to be written."""
    write = planned.write
    contacts = found.get(normalise_email(write.email), ()) if write is not None and _is_looked_up(planned) else ()
    if write is None or not contacts:
        return planned, None
    ids = [number_of(contact) for contact in contacts]
    place = ids.index(planned.link.contact_id) if planned.link and planned.link.contact_id in ids else 0
    same = planned.link is not None and planned.link.contact_id == ids[place]
    link = planned.link if same else Linked(ids[place], {})
    linked = replace(planned, link=link, adjustments=(*planned.adjustments, *_doubled(ids)))
    if read_back.differences(contacts[place], write):
        return linked, None
    said = (Adjustment("", "taken_over", "Mautic had it already, although its answer was lost."),)
    new = planned.link is None
    return linked, Receipt(planned.group.person_key, "created" if new else "updated", ids[place], None, said, 1)


def _doubled(ids: Sequence[int]) -> Iterator[Adjustment]:
    if len(ids) > 1:
        named = ", ".join(str(number) for number in ids)
        yield Adjustment("email", "changed", f"Mautic has several contacts with this e-mail address ({named}).")


def _notes(
    db: Database, connector_id: int, client: MauticClient, planned: Sequence[PersonPlan]
) -> tuple[Mapping[str, int], int]:
    """Return person key -> its notes found in Mautic, and how many are not there, of those that were begun."""
    plans = [(one, plan) for one in planned for plan in one.plans.values()]
    notes = [(one, act) for one, plan in plans for act in plan.follow_ups if isinstance(act, Note)]
    begun = follow_ups.begun(db, connector_id, [note for _, note in notes])
    open_ = [(one, note) for one, note in notes if key_of(note) in begun]
    pairs = {(one.link.contact_id, note.marker): one.group.person_key for one, note in open_ if one.link is not None}
    found = NoteWriter(client).find_many(pairs) if pairs else {}
    counts: dict[str, int] = {}
    for pair, person_key in pairs.items():
        counts[person_key] = counts.get(person_key, 0) + (found[pair] is not None)
    return counts, len(open_) - sum(counts.values())
