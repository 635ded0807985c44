"""Notes, segments and e-mails after the contact: never a note or an e-mail twice.

A mark is committed as started before the call and as done with the settlement. Found started, the act is looked up in
Mautic first, since the process may have died between the call and the mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.errors import ServiceError
from integration.mautic.client import MauticClient
from integration.mautic.emails import Emails
from integration.mautic.notes import NoteRow
from integration.mautic.notes import NoteWriter
from integration.mautic.results import Interrupted
from integration.mautic.results import NoteReceipt
from integration.mautic.segments import Segments
from integration.models.database import Database
from integration.models.follow_up import FollowUpMark
from integration.models.follow_up import MarkState
from integration.pipeline.lines import Item
from integration.plans import FollowUp
from integration.plans import Note
from integration.plans import SegmentAdd
from integration.plans import SendEmail

Once = Note | SendEmail
MarkKey = tuple[str, str, str]


class Uncertain(IntegrationError):
    """An e-mail may have been sent; a person decides."""

    def __init__(self) -> None:
        super().__init__(
            "uncertain",
            "The e-mail may have been sent already: the connection was lost before Mautic answered.",
            "Look at the contact in Mautic, then send again or discard.",
        )


@dataclass(frozen=True, slots=True)
class Act:
    """A follow-up of one delivery, to be done for one contact."""

    item: Item
    contact_id: int
    what: FollowUp


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of an act; `error` None means done, `repeated` that it had been done before."""

    act: Act
    message: str = ""
    error: IntegrationError | None = None
    remote_id: int | None = None
    repeated: bool = False


def key_of(once: Once) -> MarkKey:
    """Return what makes a note or an e-mail one: order, status, action."""
    return once.order_id, once.status, once.action


@dataclass
class FollowUps:
    """Does the follow-ups of one batch."""

    db: Database
    client: MauticClient
    connector_id: int
    now: datetime

    def do(self, acts: Sequence[Act]) -> list[Followed]:
        """Do all acts, notes and segments in batches, e-mails one by one.

        An error of the connection ends a kind early: what was not tried has that error too.
        """
        once = [act for act in acts if isinstance(act.what, Note | SendEmail)]
        done, started = self._marks(once)
        results = [Followed(act, repeated=True) for act in once if key_of(act.what) in done]  # type: ignore[arg-type]
        open_ = [act for act in once if key_of(act.what) not in done]  # type: ignore[arg-type]  # only once-acts
        chosen = {key_of(act.what): act for act in open_}  # type: ignore[arg-type]  # only once-acts
        unique = list(chosen.values())
        results += self._notes([a for a in unique if isinstance(a.what, Note)], started)
        results += self._segments([a for a in acts if isinstance(a.what, SegmentAdd)])
        results += self._emails([a for a in unique if isinstance(a.what, SendEmail)], started)
        twins = [act for act in open_ if chosen[key_of(act.what)] is not act]  # type: ignore[arg-type]  # once-acts
        return results + _twins(twins, results)

    def _marks(self, acts: Iterable[Act]) -> tuple[set[MarkKey], dict[MarkKey, datetime]]:
        keys = [key_of(act.what) for act in acts if isinstance(act.what, Note | SendEmail)]
        if not keys:
            return set(), {}
        columns = (FollowUpMark.order_id, FollowUpMark.status, FollowUpMark.action)
        query = select(*columns, FollowUpMark.state, FollowUpMark.started_at).where(
            FollowUpMark.connector_id == self.connector_id, tuple_(*columns).in_(keys)
        )
        with self.db.read() as session:
            rows = session.execute(query).all()
        done = {(r.order_id, r.status, r.action) for r in rows if r.state == MarkState.DONE}
        return done, {(r.order_id, r.status, r.action): r.started_at for r in rows if r.state == MarkState.STARTED}

    def _start(self, acts: Sequence[Act], started: dict[MarkKey, datetime]) -> None:
        fresh = {key_of(a.what): a for a in acts if key_of(a.what) not in started}  # type: ignore[arg-type]  # once-acts
        with self.db.write() as session:
            for (order_id, status, action), act in fresh.items():
                session.add(
                    FollowUpMark(
                        connector_id=self.connector_id,
                        order_id=order_id,
                        status=status,
                        action=action,
                        state=MarkState.STARTED,
                        contact_id=act.contact_id,
                        started_at=self.now,
                    )
                )

    def _notes(self, acts: Sequence[Act], started: dict[MarkKey, datetime]) -> list[Followed]:
        if not acts:
            return []
        unique = {key_of(act.what): act for act in acts}  # type: ignore[arg-type]  # notes only
        results: list[Followed] = []
        try:
            found = self._found({key: act for key, act in unique.items() if key in started})
        except ServiceError as error:
            return [Followed(act, error=error) for act in acts]
        results += [Followed(unique[key], "The note was there already.", remote_id=note) for key, note in found.items()]
        fresh = {key: act for key, act in unique.items() if key not in found}
        self._start(list(fresh.values()), started)
        return results + self._create_notes(fresh)

    def _found(self, acts: dict[MarkKey, Act]) -> dict[MarkKey, int]:
        pairs = {key: (act.contact_id, act.what.marker) for key, act in acts.items() if isinstance(act.what, Note)}
        notes = NoteWriter(self.client).find_many(pairs.values()) if pairs else {}
        ids = {key: notes[pair] for key, pair in pairs.items()}
        return {key: note_id for key, note_id in ids.items() if note_id is not None}

    def _create_notes(self, acts: dict[MarkKey, Act]) -> list[Followed]:
        if not acts:
            return []
        rows = [_note_row("/".join(key), act, self.now) for key, act in acts.items()]
        try:
            made, error = NoteWriter(self.client).create(rows), None
        except Interrupted as stop:
            made, error = [r for r in stop.receipts if isinstance(r, NoteReceipt)], stop.error
        receipts = {receipt.key: receipt for receipt in made}
        return [_noted(act, receipts.get("/".join(key)), error) for key, act in acts.items()]

    def _segments(self, acts: Sequence[Act]) -> list[Followed]:
        results: list[Followed] = []
        for segment_id in sorted({act.what.segment_id for act in acts if isinstance(act.what, SegmentAdd)}):
            mine = [a for a in acts if isinstance(a.what, SegmentAdd) and a.what.segment_id == segment_id]
            results += self._add(segment_id, mine)
        return results

    def _add(self, segment_id: int, acts: Sequence[Act]) -> list[Followed]:
        try:
            added = Segments(self.client).add(segment_id, sorted({act.contact_id for act in acts}))
        except ServiceError as error:
            return [Followed(act, error=error) for act in acts]
        return [
            Followed(act, f"Added to segment {segment_id}.", error=None if added.get(act.contact_id) else _NOT_ADDED)
            for act in acts
        ]

    def _emails(self, acts: Sequence[Act], started: dict[MarkKey, datetime]) -> list[Followed]:
        results = []
        emails = Emails(self.client)
        for act in acts:
            assert isinstance(act.what, SendEmail)
            results.append(self._email(emails, act, act.what, started))
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
            sending = emails.send(email.email_id, act.contact_id, email.tokens)
        except ServiceError as error:
            return Followed(act, error=error)
        return Followed(act, sending.sentence)


_NOT_ADDED = IntegrationError(
    "not_added", "Mautic did not add the contact to the segment.", "Check that the segment and the contact exist."
)


def _twins(acts: Sequence[Act], results: Sequence[Followed]) -> list[Followed]:
    """Return what became of acts that another delivery of the same order and status stood for in this batch."""
    found = {key_of(r.act.what): r for r in results if isinstance(r.act.what, Note | SendEmail)}
    stood = [(act, found[key_of(act.what)]) for act in acts]  # type: ignore[arg-type]  # only once-acts
    return [Followed(act, error=result.error, repeated=result.error is None) for act, result in stood]


def _note_row(key: str, act: Act, now: datetime) -> NoteRow:
    assert isinstance(act.what, Note)
    return NoteRow(key, act.contact_id, act.what.text, act.what.at or now, act.what.marker)


def _noted(act: Act, receipt: NoteReceipt | None, error: ServiceError | None) -> Followed:
    if receipt is None:
        return Followed(act, error=error)
    return Followed(act, "" if receipt.error else "Note added.", error=receipt.error, remote_id=receipt.note_id)


def finish_marks(session: Session, connector_id: int, now: datetime, results: Sequence[Followed]) -> None:
    """Mark what was done as done; what may not have been done stays started and is looked up next time."""
    for result in results:
        what = result.act.what
        if not isinstance(what, Note | SendEmail) or result.repeated or result.error is not None:
            continue
        order_id, status, action = key_of(what)
        session.execute(
            update(FollowUpMark)
            .where(
                FollowUpMark.connector_id == connector_id,
                FollowUpMark.order_id == order_id,
                FollowUpMark.status == status,
                FollowUpMark.action == action,
            )
            .values(state=MarkState.DONE, done_at=now, remote_id=result.remote_id, contact_id=result.act.contact_id)
            .execution_options(synchronize_session=False)
        )
