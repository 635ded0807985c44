"""Notes, segments and e-mails after the contact: each once for an order and a status.

A mark is committed as started before the call and as done with the settlement. Found started, the act is looked up in
Mautic first, since the process may have died between the call and the mark. So is what may have been done before a
backup was put back: it gets the mark that was lost. A segment needs no start: adding twice does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from integration.errors import AuthRejected, Held, IntegrationError, Rejected, ServiceError, Throttled, Unreachable
from integration.mautic.batches import BATCH_MAX_ROWS
from integration.mautic.client import MauticClient
from integration.mautic.emails import Emails
from integration.mautic.notes import NoteRow, NoteWriter
from integration.mautic.results import Interrupted, NoteReceipt
from integration.mautic.segments import Segments
from integration.models.database import Database
from integration.models.follow_up import FollowUpMark, MarkState
from integration.models.sql import table_of, upsert
from integration.pipeline.connectors import segment_names
from integration.pipeline.connectors.restored import Gap
from integration.pipeline.delivery import contact_deletion
from integration.pipeline.delivery.acts import Act, Followed, Uncertain
from integration.pipeline.delivery.follow_up_marks import (
    Done,
    MarkKey,
    done_among,
    identity_of,
    is_done,
    key_of,
    marks_of,
)
from integration.plans import DeleteContact, FollowUp, Note, SegmentAdd, SegmentRemove, SendEmail

_ADD_MARKS = insert(table_of(FollowUpMark))


def begun(db: Database, connector_id: int, acts: Sequence[FollowUp]) -> set[MarkKey]:
    """Return which of the notes and e-mails were begun and are not known to be done."""
    with db.read() as session:
        marks = marks_of(session, connector_id, acts)
        return {key for key, mark in marks.items() if mark.state == MarkState.STARTED}


@dataclass
class FollowUps:
    """Does the follow-ups of one batch; `most_notes` caps the notes of a call.

    `contacts` are those by id that Mautic has just shown, `segments` the names of segments by id, `gap` the time of
    which the marks were lost with the database.
    """

    db: Database
    client: MauticClient
    connector_id: int
    now: datetime
    most_notes: int = BATCH_MAX_ROWS
    contacts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    segments: Mapping[int, str] = field(default_factory=dict)
    gap: Gap | None = None

    def do(self, acts: Sequence[Act]) -> list[Followed]:
        """Do all acts, notes and segments in batches, e-mails one by one.

        An error of the connection ends a kind early: what was not tried has that error too.
        """
        self._mark_lost(acts)
        done, started, begun = self._marks(acts)
        results = [Followed(act, repeated=True) for act in acts if is_done(act.follow_up, act.contact_id, done)]
        open_ = [act for act in acts if not is_done(act.follow_up, act.contact_id, done)]
        chosen = {_same(act): act for act in open_}
        unique = list(chosen.values())
        results += self._notes([a for a in unique if isinstance(a.follow_up, Note)], started, begun)
        results += self._segments([a for a in unique if isinstance(a.follow_up, SegmentAdd)])
        results += [self._leave(act, act.follow_up) for act in unique if isinstance(act.follow_up, SegmentRemove)]
        results += self._emails([a for a in unique if isinstance(a.follow_up, SendEmail)], started)
        # Last, since nothing can follow a contact that is gone.
        results += [self._delete(act, act.follow_up) for act in unique if isinstance(act.follow_up, DeleteContact)]
        return results + _twins([act for act in open_ if chosen[_same(act)] is not act], results)

    def _marks(self, acts: Sequence[Act]) -> tuple[set[Done], dict[MarkKey, datetime], bool]:
        """Return what is done, what was started before, and whether the notes that are left were started here.

        Notes are where none has to be looked up first, so that reading and starting are one transaction.
        """
        notes = [act for act in acts if isinstance(act.follow_up, Note)]
        with self.db.write() if notes else self.db.read() as session:
            marks = marks_of(session, self.connector_id, [act.follow_up for act in acts])
            started = {key: mark.started_at for key, mark in marks.items() if mark.state == MarkState.STARTED}
            begins = bool(notes) and not any(key_of(act.follow_up) in started for act in notes)
            if begins:
                self._add_marks(session, {key_of(a.follow_up): a for a in notes if key_of(a.follow_up) not in marks})
            return done_among(marks), started, begins

    def _mark_lost(self, acts: Sequence[Act]) -> None:
        """Give what may have been done in the gap the mark that it had then, so that Mautic is asked."""
        gap = self.gap
        mine = [a for a in acts if gap and isinstance(a.follow_up, Note | SendEmail) and gap.covers(a.leased)]
        if gap is None or not mine:
            return
        with self.db.write() as session:
            known = marks_of(session, self.connector_id, [act.follow_up for act in mine])
            lost = {key_of(act.follow_up): act for act in mine if key_of(act.follow_up) not in known}
            self._add_marks(session, lost, gap.since)

    def _start(self, acts: Sequence[Act], started: dict[MarkKey, datetime]) -> None:
        with self.db.write() as session:
            self._add_marks(session, {key_of(a.follow_up): a for a in acts if key_of(a.follow_up) not in started})

    def _add_marks(self, session: Session, fresh: Mapping[MarkKey, Act], at: datetime | None = None) -> None:
        rows = [
            {
                "connector_id": self.connector_id,
                "order_id": order_id,
                "status": status,
                "action": action,
                "state": MarkState.STARTED,
                "contact_id": act.contact_id,
                "started_at": at or self.now,
            }
            for (order_id, status, action), act in fresh.items()
        ]
        if rows:
            session.connection().execute(_ADD_MARKS, rows)

    def _notes(self, acts: Sequence[Act], started: dict[MarkKey, datetime], begun: bool) -> list[Followed]:
        """Add the notes, those that were started and are in Mautic left out; `begun` says that all are started."""
        if not acts:
            return []
        unique = {key_of(act.follow_up): act for act in acts}
        results: list[Followed] = []
        try:
            found = self._found({key: act for key, act in unique.items() if key in started})
        except ServiceError as error:
            return [Followed(act, error=error) for act in acts]
        results += [Followed(unique[key], "The note was there already.", remote_id=note) for key, note in found.items()]
        fresh = {key: act for key, act in unique.items() if key not in found}
        if not begun:
            self._start(list(fresh.values()), started)
        return results + self._create_notes(fresh)

    def _found(self, acts: dict[MarkKey, Act]) -> dict[MarkKey, int]:
        pairs = {
            key: (act.contact_id, act.follow_up.marker) for key, act in acts.items() if isinstance(act.follow_up, Note)
        }
        notes = NoteWriter(self.client).find_many(pairs.values()) if pairs else {}
        ids = {key: notes[pair] for key, pair in pairs.items()}
        return {key: note_id for key, note_id in ids.items() if note_id is not None}

    def _create_notes(self, acts: dict[MarkKey, Act]) -> list[Followed]:
        if not acts:
            return []
        rows = [_note_row("/".join(key), act, self.now) for key, act in acts.items()]
        try:
            made, error = NoteWriter(self.client, min(self.most_notes, BATCH_MAX_ROWS)).create(rows), None
        except Interrupted as stop:
            made, error = [r for r in stop.receipts if isinstance(r, NoteReceipt)], stop.error
        receipts = {receipt.key: receipt for receipt in made}
        return [_noted(act, receipts.get("/".join(key)), error) for key, act in acts.items()]

    def _segments(self, acts: Sequence[Act]) -> list[Followed]:
        results: list[Followed] = []
        for segment_id in sorted({act.follow_up.segment_id for act in acts if isinstance(act.follow_up, SegmentAdd)}):
            mine = [a for a in acts if isinstance(a.follow_up, SegmentAdd) and a.follow_up.segment_id == segment_id]
            results += self._add(segment_id, mine)
        return results

    def _add(self, segment_id: int, acts: Sequence[Act]) -> list[Followed]:
        try:
            added = Segments(self.client).add(segment_id, sorted({act.contact_id for act in acts}))
        except ServiceError as error:
            return [Followed(act, error=error) for act in acts]
        said = f"Added to segment {segment_names.called(self.segments, segment_id)}."
        return [Followed(act, said, error=None if added.get(act.contact_id) else _NOT_ADDED) for act in acts]

    def _leave(self, act: Act, leave: SegmentRemove) -> Followed:
        try:
            Segments(self.client).remove(leave.segment_id, act.contact_id)
        except ServiceError as error:
            return Followed(act, error=error)
        return Followed(act, f"Removed from segment {leave.segment_id}.")

    def _delete(self, act: Act, wanted: DeleteContact) -> Followed:
        try:
            with self.db.read() as session:
                held = contact_deletion.held(session, self.connector_id, act.leased, act.contact_id, wanted.customer_id)
                people = contact_deletion.people(session, self.connector_id, act.leased.person_key)
            if held:
                return Followed(act, f"The contact was kept: {held}", kept=True)
            done = contact_deletion.delete(self.client, act.contact_id, people)
        except ServiceError as error:
            return Followed(act, error=error)
        return Followed(act, done.sentence, kept=done.kept)

    def _emails(self, acts: Sequence[Act], started: dict[MarkKey, datetime]) -> list[Followed]:
        results: list[Followed] = []
        emails = Emails(self.client, self.contacts)
        try:
            emails.look_up(act.contact_id for act in acts)
        except ServiceError as error:
            return [Followed(act, error=error) for act in acts]
        for act in acts:
            assert isinstance(act.follow_up, SendEmail)
            results.append(self._email(emails, act, act.follow_up, started))
        return results

    def _email(self, emails: Emails, act: Act, email: SendEmail, started: dict[MarkKey, datetime]) -> Followed:
        before = started.get(key_of(email))
        try:
            if before is not None:
                sent = emails.was_sent(email.email_id, act.contact_id, before)
                if sent is None:
                    return Followed(act, error=Uncertain())
                if sent:
                    return Followed(act, "The e-mail had been sent already.")
            self._start([act], started)
            return self._sent(emails, act, email)
        except ServiceError as error:
            return Followed(act, error=error)

    def _sent(self, emails: Emails, act: Act, email: SendEmail) -> Followed:
        """Send an e-mail whose mark stands; one that was certainly not sent loses it.

        A later look could find another e-mail to the same contact, and take it for this one.
        """
        try:
            sending = emails.send(email.email_id, act.contact_id, email.tokens)
        except ServiceError as error:
            if isinstance(error, _NOTHING_DONE) or (isinstance(error, Unreachable) and not error.sent):
                self._unmark(key_of(email))
            raise
        return Followed(act, sending.sentence, withheld=sending.outcome != "sent")

    def _unmark(self, key: MarkKey) -> None:
        with self.db.write() as session:
            mark = session.get(FollowUpMark, (self.connector_id, *key))
            if mark is not None and mark.state == MarkState.STARTED:
                session.delete(mark)


#: Errors that say that a call had no effect.
_NOTHING_DONE = (AuthRejected, Held, Rejected, Throttled)
_NOT_ADDED = IntegrationError(
    "not_added", "Mautic did not add the contact to the segment.", "Check that the segment and the contact exist."
)


def _same(act: Act) -> Done:
    return identity_of(act.follow_up, act.contact_id)


def _twins(acts: Sequence[Act], results: Sequence[Followed]) -> list[Followed]:
    """Return what became of acts that another delivery of the same order and status stood for in this batch."""
    found = {_same(result.act): result for result in results}
    stood = [(act, found[_same(act)]) for act in acts]
    return [Followed(act, error=result.error, repeated=result.error is None) for act, result in stood]


def _note_row(key: str, act: Act, now: datetime) -> NoteRow:
    assert isinstance(act.follow_up, Note)
    return NoteRow(key, act.contact_id, act.follow_up.text, act.follow_up.at or now, act.follow_up.marker)


def _noted(act: Act, receipt: NoteReceipt | None, error: ServiceError | None) -> Followed:
    if receipt is None:
        return Followed(act, error=error)
    return Followed(act, "" if receipt.error else "Note added.", error=receipt.error, remote_id=receipt.note_id)


def finish_marks(session: Session, connector_id: int, now: datetime, results: Sequence[Followed]) -> None:
    """Mark what was done as done; what may not have been done stays started and is looked up next time."""
    fresh = [result for result in results if not (result.repeated or result.kept) and result.error is None]
    rows = [_mark(connector_id, now, result) for result in fresh]
    upsert(session, FollowUpMark, rows, ("state", "done_at", "remote_id", "contact_id"))


def _mark(connector_id: int, now: datetime, result: Followed) -> dict[str, Any]:
    follow_up = result.act.follow_up
    order_id, status, action = key_of(follow_up)
    return {
        "connector_id": connector_id,
        "order_id": order_id,
        "status": status,
        "action": action,
        "state": MarkState.DONE,
        "contact_id": result.act.contact_id,
        "remote_id": follow_up.segment_id if isinstance(follow_up, SegmentAdd | SegmentRemove) else result.remote_id,
        "started_at": now,
        "done_at": now,
    }
