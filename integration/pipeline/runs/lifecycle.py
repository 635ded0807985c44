"""The life of a run of any kind: started, taken, renewed, asked to rest, given back, ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, NotNow
from integration.masking import mask_text
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.models.run import EXCLUSIVE, GOING, PAUSABLE, Run, RunKind, RunLine, RunState, among_going
from integration.models.sql import swapped
from integration.pipeline import outbox
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.connectors import fingerprint
from integration.pipeline.leases.endings import Cancelled, Lost, Paused
from integration.pipeline.runs import giving_up, reading_list
from integration.pipeline.runs.locked_run import locked
from integration.pipeline.services import Services
from integration.words import counted

#: Renewed every few seconds: the sweep closes a run within a minute of the death of its process.
LEASE = timedelta(seconds=40)
#: Key in the cursor of an ended run whose intermediate rows were deleted: it cannot go on from there.
FORGOTTEN = "forgotten"


class RunGoing(NotNow):
    """Another run of the connector is going."""

    def __init__(self, run_id: int | None) -> None:
        super().__init__(
            "run_going", "A run of this connector is going already.", "Wait until it has ended, or cancel it first."
        )
        self.run_id = run_id


class CannotPause(NotNow):
    """The run does not go, or not for long."""

    def __init__(self) -> None:
        super().__init__(
            "not_pausable",
            "The run is not going, is being stopped already, or is of a kind that soon ends by itself.",
            "Initial, full and bulk runs that are going can be paused.",
        )


def start(
    services: Services,
    connector_id: int,
    kind: RunKind | str,
    *,
    trigger: str,
    options: Mapping[str, Any] | None = None,
    audit: Audit[Run] = unaudited,
) -> int:
    """Ask for a run and return its id; a worker begins it at once.

    Raises RunGoing when one is going, fingerprint.ReadOnly where the connector is read-only and the run would send.
    A reconciliation has a row of its own besides: operations.reconciliation.start asks for one.
    """
    run = Run(connector_id=connector_id, kind=RunKind(kind), options=dict(options or {}))
    return begin(services, run, trigger=trigger, audit=audit)


def begin(services: Services, run: Run, *, trigger: str, audit: Audit[Run] = unaudited) -> int:
    """Ask for this run, a row that is not stored yet, and return its id; raises as `start` does."""
    run.state, run.trigger, run.created_at = RunState.PENDING, trigger, services.clock.now()
    with services.db.write() as session:
        fingerprint.check_run(session.get_one(Connector, run.connector_id), run)
        session.add(run)
        store_alone(session, run.connector_id, RunKind(run.kind))
        services.on_accept(session, run.connector_id)
        audit(session, run)
    services.wakeup.ring(run.connector_id)
    return run.id


def store_alone(session: Session, connector_id: int, kind: RunKind) -> None:
    """Store a run as the only one that is going; raises RunGoing when there is another one."""
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        found = going(session, connector_id, kind)
        raise RunGoing(found.id if found else None) from None


def going(session: Session, connector_id: int, kind: RunKind) -> Run | None:
    """Return the run that keeps another one of this kind from beginning, None when there is none."""
    group = next(group for group in EXCLUSIVE if kind in group)
    mine = select(Run).where(Run.connector_id == connector_id, Run.kind.in_(group))
    found: Run | None = session.scalar(among_going(mine))
    return found


def pause(services: Services, run_id: int, *, audit: Audit[Run] = unaudited) -> None:
    """Ask a run to rest at its next page; raises CannotPause unless it is going, and of a kind that takes long.

    It keeps its place and gives its lease back; what it has read is sent all the same. resumption.resume goes on.
    """
    with services.db.write() as session:
        run = locked(session, run_id)
        if run is None or not may_pause(run):
            raise CannotPause
        run.pause_asked_at = services.clock.now()
        audit(session, run)
        is_free = run.lease_token is None
    if is_free:
        _rest_here(services, run)
    services.wakeup.ring(run.connector_id)


def _rest_here(services: Services, run: Run) -> None:
    """Let a run lie that nobody works on; whoever has taken it meanwhile lets it lie themselves."""
    outbox.let_go_by_parts(services.db, run.connector_id, run.id)
    with services.db.write() as session:
        found = locked(session, run.id)
        if found is not None and found.state in GOING and found.lease_token is None and found.cancel_asked_at is None:
            rest(session, services.clock.now(), found)


def may_pause(run: Run) -> bool:
    """Tell whether a run can be asked to rest."""
    return run.state in GOING and run.kind in PAUSABLE and not run.pause_asked_at and not run.cancel_asked_at


def rest(session: Session, now: datetime, run: Run) -> None:
    """Let a run lie where it stands, free for nobody until it is resumed; others of the connector may go."""
    run.state, run.pause_asked_at, run.due_at, run.error = RunState.PAUSED, now, None, ""
    run.lease_token, run.leased_until = None, None
    outbox.let_go(session, run.connector_id, run.id)
    add_line(session, now, run.id, "Paused. What was read is still sent; resumed, it goes on where it stood.")


def waiting(query: Select[Any], *, of_kinds: bool) -> Select[Any]:
    """Return a query of runs cut down to those that somebody may take at `:now`, `of_kinds` only those of `:kinds`.

    The run that is due longest comes first.
    """
    due = or_(Run.due_at.is_(None), Run.due_at <= bindparam("now"))
    found = among_going(query).where(Run.lease_token.is_(None), due)
    found = found.where(Run.kind.in_(bindparam("kinds"))) if of_kinds else found
    return found.order_by(func.coalesce(Run.due_at, Run.created_at), Run.id)


def take(
    session: Session,
    now: datetime,
    token: str,
    connector_id: int | None = None,
    kinds: Collection[str] | None = None,
) -> Run | None:
    """Lease one run that nobody works on, the one due longest first; None when there is nothing to do."""
    query = waiting(select(Run), of_kinds=kinds is not None)
    if connector_id is not None:
        query = query.where(Run.connector_id == connector_id)
    values = {"now": now, "kinds": sorted(kinds or ())}
    run = session.scalars(query.limit(1).with_for_update(skip_locked=True), values).first()
    if run is not None:
        run.lease_token, run.leased_until = token, now + LEASE
        run.state, run.started_at = RunState.RUNNING, run.started_at or now
    return run


def renew(session: Session, now: datetime, run_id: int, token: str) -> bool:
    """Prolong a run's lease while something slow is waited for; False when it is lost."""
    renewed = update(Run).where(Run.id == run_id, Run.lease_token == token).values(leased_until=now + LEASE)
    return bool(swapped(session, renewed))


def keep(session: Session, now: datetime, run: Run, token: str) -> Run | None:
    """Prolong the lease and return the run as it is now; None when it is no longer ours.

    The connector is locked before the row, as settle does it: the other way round the two would wait for each other.
    """
    lock_connector(session, run.connector_id)
    # By its own class: of a reconciliation only half was read by a run's, and the rest by a second question.
    found = session.get(type(run), run.id, with_for_update=True)
    if found is None or found.lease_token != token:
        return None
    found.leased_until = now + LEASE
    return found


def held(session: Session, now: datetime, run: Run, token: str) -> Run:
    """Prolong the lease and return the run as it is now; raises Lost when it is not ours, Cancelled, Paused."""
    found = keep(session, now, run, token)
    if found is None:
        raise Lost
    if found.cancel_asked_at is not None:
        raise Cancelled
    if found.pause_asked_at is not None:
        raise Paused
    return found


def give_back(
    session: Session, run: Run, token: str, *, due_at: datetime | None = None, waits_for: str | None = None
) -> bool:
    """Let another process take a run up that this one has to leave, not before `due_at`; False when it is not ours.

    `waits_for` tells people why it rests; None leaves what is said as it is. Whom it gathers waits for the process that
    goes on with it: as long as there is none nobody would be sent either.
    """
    values: dict[str, Any] = {"lease_token": None, "leased_until": None, "due_at": due_at}
    if waits_for is not None:
        values["error"] = mask_text(waits_for)
    lock_connector(session, run.connector_id)
    return bool(swapped(session, update(Run).where(Run.id == run.id, Run.lease_token == token).values(**values)))


def finish(session: Session, now: datetime, run: Run, state: RunState, error: IntegrationError | None = None) -> None:
    """End a run with the figures that stay; a cancelled one gives up what it still had waiting."""
    if state is RunState.CANCELLED:
        giving_up.give_up(session, now, run)
    outbox.let_go(session, run.connector_id, run.id)
    run.waiting = outbox.open_count(session, run_id=run.id)
    run.state, run.ended_at, run.lease_token, run.leased_until, run.due_at = state, now, None, None, None
    run.error_code, run.error = "", ""
    if state is RunState.COMPLETED and run.kind in (RunKind.INITIAL, RunKind.FULL):
        reading_list.forget(session, run.id)
    if error is not None:
        run.error_code, run.error = error.code, mask_text(str(error))
        add_line(session, now, run.id, f"Stopped: {error}", "error")
    if state is RunState.CANCELLED:
        add_line(session, now, run.id, _cancelled(run))
    if run.partial:
        written = counted(run.partial, "record was", "records were")
        text = f"{written} written in part; the list of the run's records says what is lacking."
        add_line(session, now, run.id, text, "warning")
    if state is RunState.COMPLETED:
        add_line(session, now, run.id, "Completed.")


def _cancelled(run: Run) -> str:
    if run.kind == RunKind.RECONCILIATION:
        return "Cancelled. What it found stays."
    left, given_up = run.waiting, run.cursor[giving_up.GIVEN_UP]
    lost = f"; {counted(given_up, 'waiting record was', 'waiting records were')} not sent" if given_up else ""
    still = f" {counted(left, 'record is', 'records are')} sent all the same." if left else ""
    return f"Cancelled{lost}. What was sent stays.{still}"


def add_line(session: Session, now: datetime, run_id: int, text: str, level: str = "info") -> None:
    """Write one line of the run's log."""
    session.add(RunLine(run_id=run_id, at=now, level=level, text=mask_text(text)[:2000]))
