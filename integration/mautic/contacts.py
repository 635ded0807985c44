"""The batch writer: many people in few calls, and one person's fault never another's.

Known ids go by PATCH contacts/batch/edit, which costs Mautic half of what batch/new does; the others by POST
contacts/batch/new, which finds an existing contact by its address. Both may be repeated. After a time-out Mautic may
still be at work on the rows, so another write of the same person would race with it and could make a second contact
(175, 187): the halves are therefore sent in the order of the rows, those it has passed first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal

from integration.errors import NotSetUp
from integration.errors import Rejected
from integration.errors import ServerFault
from integration.errors import ServiceError
from integration.errors import Unreachable
from integration.mautic import verdicts
from integration.mautic.batches import LARGEST
from integration.mautic.batches import BatchSize
from integration.mautic.batches import RowAnswer
from integration.mautic.batches import halves
from integration.mautic.batches import row_answers
from integration.mautic.client import MauticClient
from integration.mautic.client import Reply
from integration.mautic.probe import writable
from integration.mautic.repairs import Alternates
from integration.mautic.repairs import Job
from integration.mautic.repairs import no_alternates
from integration.mautic.results import ContactRow
from integration.mautic.results import Interrupted
from integration.mautic.results import Receipt
from integration.mautic.search import find_by_email

#: After so many failures in a row, without a success between them, the server is at fault and not a row.
ENOUGH = 3
#: Addresses looked for in one search (085).
SEARCHED_AT_ONCE = 10
_NEW = ("POST", "contacts/batch/new")
_EDIT = ("PATCH", "contacts/batch/edit")


class ContactWriter:
    """Writes contacts in batches; `size` is kept by the caller for each connector, `alternates` as in repairs."""

    def __init__(
        self, client: MauticClient, size: BatchSize | None = None, alternates: Alternates = no_alternates
    ) -> None:
        self.client = client
        self.size = size or BatchSize()
        self.alternates = alternates

    def upsert(self, rows: Sequence[ContactRow], size: int | None = None) -> list[Receipt]:
        """Write the rows and return one receipt each, in their order; `size` caps the batches of this run.

        Never raises for a row. Raises Interrupted with what was settled so far when the connection is at fault
        (Throttled, AuthRejected, NotSetUp, Unreachable, or three time-outs in a row).
        """
        return _Run(self, [Job.of(row, self.alternates) for row in rows], size or LARGEST).finish()


class _Run:
    """One upsert: takes jobs from its queues until each has a receipt."""

    def __init__(self, writer: ContactWriter, jobs: list[Job], cap: int) -> None:
        self._client = writer.client
        self._size = writer.size
        self._cap = min(cap, LARGEST)
        self._jobs = jobs
        self._receipts: dict[int, Receipt] = {}
        self._waiting: deque[Job] = deque()
        self._split: deque[list[Job]] = deque()
        self._clashing: list[Job] = []
        self._failures = 0
        self._time_outs = 0

    def finish(self) -> list[Receipt]:
        for job in self._jobs:
            self._start(job)
        try:
            while self._waiting or self._split or self._clashing:
                self._step()
        except ServiceError as error:
            raise Interrupted(error, self._ordered()) from error
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
            self._send(self._split.popleft())
        elif self._waiting:
            self._send(self._take())
        else:
            self._search()

    def _take(self) -> list[Job]:
        """Take the next rows of one kind, no id and no address twice in them (141, 365)."""
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
        try:
            reply = self._call(jobs)
            answers = row_answers(reply.value, "contacts", len(jobs))
        except (ServerFault, Rejected, Unreachable, NotSetUp) as error:
            self._failed(jobs, error)
            return
        self._size.took(len(jobs), reply.seconds)
        self._failures = self._time_outs = 0
        for job, answer in zip(jobs, answers, strict=True):
            self._settle(job, answer)

    def _call(self, jobs: list[Job]) -> Reply:
        body = [job.body() for job in jobs]
        method, path = _NEW if jobs[0].mautic_id is None else _EDIT
        return self._client.request(method, path, body=body)

    def _failed(self, jobs: list[Job], error: ServiceError) -> None:
        """Halve a failed batch around the bad row, unless it is the connection that fails."""
        if not verdicts.may_be_a_row(error):
            raise error
        self._count(jobs, error)
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

    def _count(self, jobs: list[Job], error: ServiceError) -> None:
        # A whole batch that is refused may be too large, and then each smaller one is until one is not.
        self._failures += len(jobs) == 1 or not isinstance(error, Rejected)
        if not verdicts.is_time_out(error):
            return
        self._time_outs += 1
        self._size.timed_out()
        if self._time_outs >= ENOUGH:
            raise error

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
        new: Literal["created", "updated"] = "created" if answer.status == 201 else "updated"
        adjustments = (*job.adjustments, *verdicts.twin_note(job))
        number = int(answer.item["id"])
        self._receipts[id(job)] = Receipt(
            job.row.key, new, number, None, adjustments, job.calls, _request(job), job.body(), answer.status
        )

    def _forget_id(self, job: Job, answer: RowAnswer) -> None:
        """Write a contact that was deleted or merged in Mautic again by its address (156, 157, 164)."""
        if not job.email:
            self._fail(job, verdicts.of_a_row(job, answer))
            return
        job.mautic_id = None
        self._waiting.append(job)

    def _mend(self, job: Job, answer: RowAnswer) -> None:
        if job.mend(answer.problem.details):
            self._waiting.append(job)
        else:
            self._fail(job, verdicts.of_a_row(job, answer))

    def _search(self) -> None:
        """Find out who has the addresses of the rows that were refused as not unique (119, 162, 178-186)."""
        jobs, self._clashing = self._clashing[:SEARCHED_AT_ONCE], self._clashing[SEARCHED_AT_ONCE:]
        try:
            found = find_by_email(self._client, [job.email for job in jobs])
        except (ServerFault, Rejected) as error:
            for job in jobs:
                self._fail(job, error)
            return
        for job in jobs:
            job.calls += 1
            self._aim(job, found.get(job.email.casefold(), ()))

    def _aim(self, job: Job, ids: tuple[int, ...]) -> None:
        """Send the row to the only contact with its address, or try one of several without the address."""
        job.searched = True
        if len(ids) == 1 and ids[0] != job.mautic_id:
            job.mautic_id = ids[0]
        elif ids:
            job.twin(ids)
        elif job.mautic_id is not None:
            job.with_email = False
        self._waiting.append(job)

    def _fail(self, job: Job, error: ServiceError) -> None:
        self._receipts[id(job)] = Receipt(
            job.row.key,
            "failed",
            job.mautic_id,
            error,
            tuple(job.adjustments),
            job.calls,
            _request(job),
            job.body() if job.calls else None,
            error.status,
        )


def _request(job: Job) -> str:
    """Return the call that the row was last part of, "" when it was never sent."""
    if not job.calls:
        return ""
    return " ".join(_EDIT if job.mautic_id is not None else _NEW)
