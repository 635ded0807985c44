"""Contact notes: many in one call, and never the same note twice.

Mautic answers 500 for the whole batch when one row throws (a contact that is gone, 214, 216), yet the rows before it
are saved (mautic:217). So after every failure it is looked up which notes arrived before any is sent again; and after a
lost answer, when Mautic may still be writing, what is missing is not sent again at all but reported as failed with that
error: the caller looks again after a pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from integration.errors import NotSetUp, Rejected, ServerFault, ServiceError, Unreachable
from integration.mautic.answers import SERVICE, refusal
from integration.mautic.batches import BATCH_MAX_ROWS, RowAnswer, row_answers
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of, paged
from integration.mautic.probe import writable
from integration.mautic.results import Interrupted, NoteReceipt
from integration.mautic.search import entries
from integration.mautic.verdicts import blocked

#: Notes of a contact read in one call.
PAGE = 200
#: So many single notes failed by the server in a row are the server's fault.
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note to be made; `marker` is a text that no other note of the contact has, put behind `text` if missing."""

    key: str
    contact_id: int
    text: str
    at: datetime | None
    marker: str

    def body(self, now: datetime) -> dict[str, Any]:
        """Return the note as it is sent; without a dateTime Mautic shows the present moment for ever (dossier 4.4)."""
        text = self.text if self.marker in self.text else f"{self.text}\n{self.marker}"
        moment = (self.at or now).astimezone(UTC).replace(microsecond=0)
        return {"lead": self.contact_id, "text": text, "type": "general", "dateTime": moment.isoformat()}


class NoteWriter:
    """Makes notes on contacts, at most `size` in one call."""

    def __init__(self, client: MauticClient, size: int = BATCH_MAX_ROWS) -> None:
        self.client = client
        self.size = max(1, min(size, BATCH_MAX_ROWS))

    def create(self, rows: Sequence[NoteRow]) -> list[NoteReceipt]:
        """Make the notes and return one receipt each, in their order; a note of rows that crashed is looked up first.

        Raises Interrupted with what was settled so far when the connection is at fault.
        """
        run = _Run(self, list(rows))
        try:
            run.finish()
        except ServiceError as error:
            raise Interrupted(error, run.ordered()) from error
        return run.ordered()

    def find(self, contact_id: int, marker: str) -> int | None:
        """Return the id of the contact's note that holds the marker, None without one or without that contact."""
        return self.find_many([(contact_id, marker)])[contact_id, marker]

    def find_many(self, pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int | None]:
        """Return the note's id for each (contact id, marker); one read for each contact."""
        wanted: dict[int, list[str]] = {}
        for contact_id, marker in pairs:
            wanted.setdefault(contact_id, []).append(marker)
        found: dict[tuple[int, str], int | None] = {}
        for contact_id, markers in wanted.items():
            notes = self._notes_of(contact_id, markers)
            found |= {(contact_id, marker): _holding(notes, marker) for marker in markers}
        return found

    def _notes_of(self, contact_id: int, markers: Sequence[str]) -> list[dict[str, Any]]:
        """Return the contact's notes, newest first (mautic:217), as far as the markers need them; none for a 404."""

        def read(start: int) -> list[dict[str, Any]]:
            try:
                return entries(
                    self.client.get(f"contacts/{contact_id}/notes", {"limit": PAGE, "start": start}), "notes"
                )
            except Rejected as error:
                if error.status == 404:
                    return []
                raise

        notes: list[dict[str, Any]] = []
        for note in paged(read, PAGE):
            notes.append(note)
            if len(notes) % PAGE == 0 and all(_holding(notes, marker) is not None for marker in markers):
                break
        return notes


def _holding(notes: Iterable[dict[str, Any]], marker: str) -> int | None:
    """Return the oldest note with the marker as a whole: "#12]" is not in "#123]" but "#12" is in "#123"."""
    ids = [number_of(note) for note in notes if _has(str(note.get("text") or ""), marker)]
    return min(ids, default=None)


def _has(text: str, marker: str) -> bool:
    position = text.find(marker)
    while position >= 0:
        behind = text[position + len(marker) : position + len(marker) + 1]
        if not (marker[-1:].isalnum() and behind.isalnum()):
            return True
        position = text.find(marker, position + 1)
    return False


class _Run:
    """One create: batches, and after a crash the look-up and the suspect alone."""

    def __init__(self, writer: NoteWriter, rows: list[NoteRow]) -> None:
        self._writer = writer
        self._client = writer.client
        self._rows = rows
        self._size = writer.size
        self._open = list(enumerate(rows))
        self._receipts: dict[int, NoteReceipt] = {}
        self._lone_failures = 0

    def ordered(self) -> list[NoteReceipt]:
        """Return the receipts so far in the order of the rows."""
        return [self._receipts[place] for place in sorted(self._receipts)]

    def finish(self) -> None:
        """Settle every row."""
        for place, row in self._open:
            if not row.text.strip():
                self._settle(place, row, error=_empty())
        self._open = [each for each in self._open if each[0] not in self._receipts]
        while self._open:
            batch, self._open = self._open[: self._size], self._open[self._size :]
            self._send(batch)

    def _send(self, batch: list[tuple[int, NoteRow]]) -> None:
        now = self._client.clock.now()
        try:
            value = self._client.post("notes/batch/new", [row.body(now) for _, row in batch])
            answers = row_answers(value, "notes", len(batch))
        except (ServerFault, Unreachable) as error:
            self._crashed(batch, error)
            return
        except (Rejected, NotSetUp) as error:
            self._refused(batch, error)
            return
        self._lone_failures = 0
        for (place, row), answer in zip(batch, answers, strict=True):
            self._read(place, row, answer)

    def _read(self, place: int, row: NoteRow, answer: RowAnswer) -> None:
        number = answer.item.get("id")
        if answer.good and isinstance(number, int):
            self._settle(place, row, note_id=number)
        elif answer.good:
            self._settle(place, row, note_id=self._writer.find(row.contact_id, row.marker))
        else:
            self._settle(place, row, error=refusal(answer.status or 500, answer.problem, path="notes", row=True))

    def _refused(self, batch: list[tuple[int, NoteRow]], error: Rejected | NotSetUp) -> None:
        """Go on with smaller batches when the whole was refused for its size or content: nothing was done then."""
        if isinstance(error, NotSetUp) and error.code != "firewall":
            raise error
        if len(batch) > 1:
            self._open = batch + self._open
            self._size = len(batch) // 2
        else:
            self._settle(*batch[0], error=self._of_content(error))

    def _of_content(self, error: Rejected | NotSetUp) -> Rejected:
        if isinstance(error, Rejected):
            return error
        writable(self._client)
        return blocked(error)

    def _crashed(self, batch: list[tuple[int, NoteRow]], error: ServerFault | Unreachable) -> None:
        """Look up what arrived; what did not is sent again only when Mautic has surely stopped working on it."""
        if isinstance(error, Unreachable) and not error.sent:
            raise error
        found = self._writer.find_many((row.contact_id, row.marker) for _, row in batch)
        missing: list[tuple[int, NoteRow]] = []
        for place, row in batch:
            number = found[row.contact_id, row.marker]
            if number is None:
                missing.append((place, row))
            else:
                self._settle(place, row, note_id=number)
        if not missing:
            return
        if not _is_over(error):
            self._fail_all(missing, error)
        else:
            self._send_suspect(missing)

    def _send_suspect(self, missing: list[tuple[int, NoteRow]]) -> None:
        """Send the first missing note alone: its answer names the reason; the rest goes on as a batch.

        Recorded as mautic:209 to mautic:211.
        """
        place, row = missing[0]
        self._open = missing[1:] + self._open
        try:
            value = self._client.post("notes/new", row.body(self._client.clock.now()))
        except Rejected as refused:
            self._lone_failures = 0
            self._settle(place, row, error=_gone(refused))
        except (ServerFault, Unreachable) as error:
            self._suspect_failed(place, row, error)
        else:
            self._lone_failures = 0
            note = value.get("note") if isinstance(value, dict) else None
            number = note.get("id") if isinstance(note, dict) else None
            self._settle(place, row, note_id=number if isinstance(number, int) else None)

    def _suspect_failed(self, place: int, row: NoteRow, error: ServerFault | Unreachable) -> None:
        if isinstance(error, Unreachable) and not error.sent:
            raise error
        number = self._writer.find(row.contact_id, row.marker)
        self._settle(place, row, note_id=number, error=error if number is None else None)
        self._lone_failures += number is None
        if self._lone_failures >= ENOUGH or not _is_over(error):
            self._fail_all(self._open, error)
            self._open = []

    def _fail_all(self, rows: list[tuple[int, NoteRow]], error: ServiceError) -> None:
        for place, row in rows:
            self._settle(place, row, error=error)

    def _settle(self, place: int, row: NoteRow, note_id: int | None = None, error: ServiceError | None = None) -> None:
        outcome: Literal["created", "failed"] = "failed" if error is not None else "created"
        self._receipts[place] = NoteReceipt(row.key, outcome, note_id, error)


def _is_over(error: ServerFault | Unreachable) -> bool:
    """Tell whether PHP has ended: a gateway's 502 to 504 or a lost connection says nothing about that."""
    status = error.status or 0
    return isinstance(error, ServerFault) and status not in (408, 502, 503, 504) and status < 520


def _empty() -> Rejected:
    return Rejected(SERVICE, "empty_note", "The note has no text.", "Give the note a text in the settings.")


def _gone(refused: Rejected) -> Rejected:
    if refused.status != 404:
        return refused
    sentence = "The contact of this note is no longer in Mautic."
    hint = "Sync the record again: the contact is then made anew."
    return Rejected(SERVICE, "contact_gone", sentence, hint, status=404, details=refused.details)
