"""The batch writer: many people in few calls, and one person's fault never another's.

Known ids go by PATCH contacts/batch/edit, which costs Mautic half of what batch/new does; the others by POST
contacts/batch/new, which finds an existing contact by its address.

An id is used only for the person it was seen to be: what stands behind it is read before each edit, and a row whose
contact has become somebody else's goes by its address. When no answer comes to a call, Mautic may still be at it,
and another write of its people could make second contacts (mautic:175, mautic:187): the upsert ends and says which
rows are in doubt.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal

from integration.errors import NotSetUp, Rejected, ServerFault, ServiceError, Unreachable
from integration.mautic import ownership, shown, verdicts
from integration.mautic.batches import BATCH_MAX_ROWS, BatchSize, RowAnswer, halves, row_answers
from integration.mautic.client import MauticClient, Reply
from integration.mautic.probe import writable
from integration.mautic.repairs import Alternates, Job, no_alternates
from integration.mautic.results import ContactRow, Interrupted, LostCall, Receipt

#: After so many failures in a row, without a success between them, the server is at fault and not a row.
ENOUGH = 3
_NEW = ("POST", "contacts/batch/new")
_EDIT = ("PATCH", "contacts/batch/edit")


class ContactWriter:
    """Writes contacts in batches; `size` is kept by the caller for each connector, `alternates` as in repairs.

    `unique` are the aliases beside email that Mautic finds contacts by: batch/new would take a stranger with the same
    value for the person (mautic:297), so they go by id afterwards.
    """

    def __init__(
        self,
        client: MauticClient,
        size: BatchSize | None = None,
        alternates: Alternates = no_alternates,
        unique: Collection[str] = (),
    ) -> None:
        self.client = client
        self.size = size or BatchSize()
        self.alternates = alternates
        self.unique = frozenset(unique) - {"email"}

    def upsert(self, rows: Sequence[ContactRow], size: int | None = None) -> list[Receipt]:
        """Write the rows and return one receipt each, in their order; `size` caps the batches of this run.

        Never raises for a row. Raises Interrupted with what was settled so far when the connection is at fault
        (Throttled, AuthRejected, NotSetUp, Unreachable), or when no answer came to a write: then `lost` names its rows.
        """
        return _Run(self, [Job.of(row, self.alternates, self.unique) for row in rows], size or BATCH_MAX_ROWS).finish()


class _Run:
    """One upsert: takes jobs from its queues until each has a receipt."""

    def __init__(self, writer: ContactWriter, jobs: list[Job], cap: int) -> None:
        self._client = writer.client
        self._size = writer.size
        self._cap = min(cap, BATCH_MAX_ROWS)
        self._jobs = jobs
        self._receipts: dict[int, Receipt] = {}
        self._waiting: deque[Job] = deque()
        self._split: deque[list[Job]] = deque()
        self._clashing: list[Job] = []
        self._unfinished: list[Job] = []
        self._failures = 0
        self._lost: LostCall | None = None

    def finish(self) -> list[Receipt]:
        for job in self._jobs:
            self._start(job)
        try:
            while self._waiting or self._split or self._clashing:
                self._step()
        except ServiceError as error:
            raise Interrupted(error, self._ordered(), self._lost) from error
        return self._ordered()

    def _ordered(self) -> list[Receipt]:
        return [self._receipts[id(job)] for job in self._jobs if id(job) in self._receipts]

    def _start(self, job: Job) -> None:
        refused = verdicts.unsendable(job)
        if refused is not None:
            self._fail(job, refused)
        else:
            self._waiting.append(job)

    def _step(self) -> None:
        if self._split:
            self._begin(self._split.popleft())
        elif self._waiting:
            self._begin(self._take())
        else:
            self._search()

    def _begin(self, jobs: list[Job]) -> None:
        if jobs[0].mautic_id is not None:
            self._see([job for job in jobs if not job.seen])
            jobs = [job for job in jobs if job.seen]
        if jobs:
            self._send(jobs)

    def _see(self, jobs: list[Job]) -> None:
        """Read the contacts behind the ids; a row whose contact is gone or another person's goes by its address."""
        try:
            ownership.read(self._client, jobs)
        except (ServerFault, Rejected) as error:
            for job in jobs:
                self._fail(job, error)
            return
        for job in reversed(jobs):
            if not job.seen and job.email:
                self._waiting.appendleft(job)
            elif not job.seen:
                self._fail(job, verdicts.nobody(job))

    def _take(self) -> list[Job]:
        """Take the next rows of one kind, no id and no address twice in them (mautic:141, mautic:365)."""
        room = min(self._size.value, self._cap)
        known = self._waiting[0].mautic_id is not None
        taken: list[Job] = []
        left: deque[Job] = deque()
        seen: set[str] = set()
        for job in self._waiting:
            fits = len(taken) < room and (job.mautic_id is not None) == known and not job.marks & seen
            (taken if fits else left).append(job)
            # A later row of a person must not overtake the earlier one.
            seen |= job.marks
        self._waiting = left
        return taken

    def _send(self, jobs: list[Job]) -> None:
        for job in jobs:
            job.calls += 1
        began = time.monotonic()
        try:
            reply = self._call(jobs)
            answers = row_answers(reply.value, "contacts", len(jobs))
        except (ServerFault, Rejected, Unreachable, NotSetUp) as error:
            if verdicts.answer_lost(error):
                pause_s = self._size.unanswered(len(jobs), time.monotonic() - began)
                self._lost = LostCall(tuple(job.row.key for job in jobs), pause_s)
                raise
            self._failed(jobs, error)
            return
        self._size.took(len(jobs), reply.seconds)
        self._failures = 0
        for job, answer in zip(jobs, answers, strict=True):
            self._settle(job, answer)
        self._waiting.extendleft(reversed(self._unfinished))
        self._unfinished.clear()

    def _call(self, jobs: list[Job]) -> Reply:
        body = [job.body() for job in jobs]
        method, path = _NEW if jobs[0].mautic_id is None else _EDIT
        return self._client.request(method, path, body=body)

    def _failed(self, jobs: list[Job], error: ServiceError) -> None:
        """Halve a failed batch around the bad row, unless it is the connection that fails."""
        if not verdicts.may_be_a_row(error):
            raise error
        # A whole batch that is refused may be too large, and then each smaller one is until one is not.
        self._failures += len(jobs) == 1 or not isinstance(error, Rejected)
        if len(jobs) > 1:
            # The sibling comes next: one bad row makes no more than two failures in a row.
            self._split.extend(halves(jobs))
        elif isinstance(error, NotSetUp):
            writable(self._client)
            self._fail(jobs[0], verdicts.blocked(error))
        else:
            self._fail(jobs[0], error)
        if self._failures == ENOUGH - 1:
            self._try_elsewhere()
        elif self._failures >= ENOUGH:
            self._give_up(error)

    def _try_elsewhere(self) -> None:
        """Send a row alone next that lies far off: if that fails as well, it was not a few bad rows side by side."""
        if self._waiting:
            self._split.appendleft([self._waiting.pop()])
        elif self._split:
            # The part that waits longest has not failed by itself, and its middle lies far from both its ends.
            part = self._split.popleft()
            one = part.pop(len(part) // 2)
            if part:
                self._split.appendleft(part)
            self._split.appendleft([one])

    def _give_up(self, error: ServiceError) -> None:
        rest = [*(job for part in self._split for job in part), *self._waiting, *self._clashing]
        self._split.clear()
        self._waiting.clear()
        self._clashing.clear()
        for job in rest:
            self._fail(job, verdicts.of_the_server(error))

    def _settle(self, job: Job, answer: RowAnswer) -> None:
        if answer.good:
            self._written(job, answer)
        elif answer.status == 404 and job.mautic_id is not None and not job.twins:
            self._forget_id(job, answer)
        elif answer.status == 422 and "email" in answer.problem.details and not job.searched:
            self._clashing.append(job)
        elif answer.status in (400, 422) and "email" not in answer.problem.details:
            self._mend(job, answer)
        else:
            self._fail(job, verdicts.of_a_row(job, answer))

    def _written(self, job: Job, answer: RowAnswer) -> None:
        mismatch = verdicts.mismatch(job, answer.item, self._client.version)
        if mismatch is not None:
            self._fail(job, mismatch)
            return
        number = int(answer.item["id"])
        new: Literal["created", "updated"] = "created" if answer.status == 201 else "updated"
        job.first = job.first or (new, _request(job), job.body(), answer.status)
        job.answered = answer.item
        if job.mautic_id is None and new == "updated":
            job.behind = shown.behind(job.fields, answer.item)
        if job.held_back and job.mautic_id is None:
            job.mautic_id, job.seen = number, True
            self._unfinished.append(job)
        else:
            self._finish(job, number)

    def _finish(self, job: Job, number: int) -> None:
        assert job.first is not None, "the person was written"
        outcome, request, sent, status = job.first
        adjustments = (*job.adjustments, *verdicts.twin_note(job), *verdicts.kept_dates(job))
        row = {**sent, **job.body()}
        unknown = shown.unknown(job.fields, job.answered)
        made = Receipt(job.row.key, outcome, number, None, adjustments, job.calls, request, row, status, unknown)
        self._receipts[id(job)] = replace(made, refused=job.refused, limits=job.limits, answered=job.answered)

    def _forget_id(self, job: Job, answer: RowAnswer) -> None:
        """Write a contact that was deleted or merged in Mautic again by its address (mautic:156, mautic:157,
        mautic:164).
        """
        if job.email:
            job.leave_id(stranger=False)
            self._waiting.append(job)
        else:
            self._fail(job, verdicts.of_a_row(job, answer))

    def _mend(self, job: Job, answer: RowAnswer) -> None:
        if not job.mend(answer.problem.details, taken=answer.status == 422):
            self._fail(job, verdicts.of_a_row(job, answer))
        elif job.first is not None and not job.held_back:
            self._finish(job, job.mautic_id or 0)
        else:
            self._waiting.append(job)

    def _search(self) -> None:
        """Find out who has the addresses of the rows that were refused as not unique.

        Recorded as mautic:119, mautic:162, mautic:178 to mautic:186.
        """
        jobs, self._clashing = self._clashing, []
        try:
            ownership.search(self._client, jobs)
        except (ServerFault, Rejected) as error:
            for job in jobs:
                self._fail(job, error)
            return
        self._waiting.extend(job for job in jobs if job.seen)
        for job in jobs:
            if not job.seen:
                self._fail(job, verdicts.taken_by_nobody(job))

    def _fail(self, job: Job, error: ServiceError) -> None:
        row, said = job.body() if job.calls else None, tuple(job.adjustments)
        made = Receipt(job.row.key, "failed", job.mautic_id, error, said, job.calls, _request(job), row, error.status)
        self._receipts[id(job)] = replace(made, limits=verdicts.limits_of(error, job))


def _request(job: Job) -> str:
    """Return the call that the row was last part of, "" when it was never sent."""
    if not job.calls:
        return ""
    return " ".join(_EDIT if job.mautic_id is not None else _NEW)
