"""The job of an erasure: one step after the other, each harmless to do again, so that a kill costs only time.

Who is on the way to Mautic this moment is waited for. What is gone is counted in the transaction in which it goes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from integration.errors import IntegrationError, ServiceError, SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.models.erasure import Erasure, ErasureState
from integration.models.sql import swapped
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.models.user import User
from integration.operations import audit
from integration.operations.audit.redaction import redact
from integration.operations.erasure import files, in_systems, rows, sweep
from integration.operations.erasure.asking import connectors_of
from integration.operations.erasure.in_systems import Done
from integration.operations.erasure.traces import Person, Traces, gather
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import is_lost, new_token
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

EVERY_S = 5
LEASE = timedelta(minutes=2)
#: Whoever waits beside an erasure leaves one that is put off for longer to the worker.
LONG_WAIT = timedelta(seconds=30)
#: So long after a record on the way was met it is looked again.
LOOK_AGAIN = timedelta(seconds=5)
#: A call that got no answer is waited for so long; Mautic is done with it by then, one way or the other.
UNANSWERED_MAX = timedelta(hours=1)
#: Pauses between tries where Mautic or the store is away; after the last one the receipt says what stays there.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 60, 240, 720))
_ON_ITS_WAY = "A record of this person is on its way to Mautic; the erasure goes on when it has arrived."
_FORGOTTEN = "The person was erased."


class _Lost(Exception):
    """Another process has the erasure by now."""


class _Later(Exception):
    """The erasure goes on in a while."""

    def __init__(self, wait: timedelta, sentence: str) -> None:
        super().__init__(sentence)
        self.wait, self.sentence = wait, sentence


@dataclass
class _Job:
    """An erasure that this process has the lease of."""

    services: Services
    id: int
    token: str
    pause: Callable[[], None]

    def do(self) -> None:
        """Do the steps that are left."""
        row = self._row()
        person = Person.from_json(self.services.vault.open(row.traces))
        if "begin" not in row.steps:
            person = self._begin(row, person)
        for name, step in self._steps(row, person):
            if name not in self._row().steps:
                step()
                self._step_done(name)
        self._end()

    def _steps(self, row: Erasure, person: Person) -> Iterator[tuple[str, Callable[[], None]]]:
        for one in person.traces:
            yield f"rows of {one.connector_id}", lambda one=one: self._rows(one)  # type: ignore[misc]
        yield "files", lambda: self._files(person)
        ids = [one.connector_id for one in person.traces]
        for swept in sweep.tables(row.organisation_id, ids):
            yield f"texts of {swept.table.name}", lambda swept=swept: self._sweep(swept, person)  # type: ignore[misc]
        for chain in (row.organisation_id, None):
            yield f"audit of {chain}", lambda chain=chain: self._audit(row, chain, person)  # type: ignore[misc]
        for one in person.traces:
            yield f"systems of {one.connector_id}", lambda one=one: self._systems(row, one, person)  # type: ignore[misc]
        # Debug mode has just written down what Mautic was asked and answered of the person.
        yield "files again", lambda: self._files(person)

    def _begin(self, row: Erasure, person: Person) -> Person:
        """Take what waits out of the line and return what is known now; raises _Later while something is under way."""
        for one in person.traces:
            with self._writing() as session:
                self._look(session, one)
        ids = self._connectors(row)
        person = gather(self.services.db, person.email, ids)
        self._set(traces=self.services.vault.seal(person.to_json()))
        for one in person.traces:
            with self._writing() as session:
                now = self.services.clock.now()
                self._look(session, one)
                open_ = select(Delivery.id).where(rows.waiting(one.connector_id, one))
                outbox.bury(session, now, one.connector_id, session.scalars(open_).all(), _FORGOTTEN)
        self._step_done("begin")
        return person

    def _connectors(self, row: Erasure) -> Sequence[int]:
        """Return the connectors that are left; one that was deleted meanwhile has taken its rows with it."""
        try:
            return connectors_of(self.services, row.organisation_id, row.connector_id)
        except SettingError:
            return []

    def _look(self, session: Session, one: Traces) -> None:
        lock_connector(session, one.connector_id)
        self._free_lost(session, one)
        if self._is_under_way(session, one):
            raise _Later(LOOK_AGAIN, _ON_ITS_WAY)

    def _free_lost(self, session: Session, one: Traces) -> None:
        """Put back what a killed process has left leased, so that it can be taken out of the line."""
        now = self.services.clock.now()
        leased = rows.waiting(one.connector_id, one) & (Delivery.state == DeliveryState.LEASED)
        for row in session.scalars(select(Delivery).where(leased)):
            if is_lost(row.lease_token or "", row.leased_until, now):
                row.state, row.lease_token, row.leased_until = DeliveryState.WAITING, None, None
        session.flush()

    def _is_under_way(self, session: Session, one: Traces) -> bool:
        leased = rows.waiting(one.connector_id, one) & (Delivery.state == DeliveryState.LEASED)
        since = self.services.clock.now() - UNANSWERED_MAX
        asked = (
            UnansweredPerson.connector_id == one.connector_id,
            UnansweredPerson.person_key.in_(one.keys),
            UnansweredCall.id == UnansweredPerson.call_id,
            UnansweredCall.sent_at > since,
        )
        return bool(session.scalar(select(or_(exists().where(leased), exists().where(*asked)))))

    def _rows(self, one: Traces) -> None:
        for part in rows.of(one.connector_id, one):
            while True:
                with self._writing() as session:
                    gone = rows.take(session, part)
                    self._count(session, part.name, gone)
                if gone < rows.ROWS_AT_ONCE:
                    break
                self.pause()

    def _files(self, person: Person) -> None:
        ids = [one.connector_id for one in person.traces]

        def counted(session: Session, number: int) -> None:
            self._count(session, "payload files", number)

        files.payloads(self.services, ids, person.words, counted)
        debug = files.debug_lines(self.services, ids, person.words)
        lines = files.log_lines(self.services, ids, person.words)
        with self._writing() as session:
            self._count(session, "exchanges of debug mode", debug)
            self._count(session, "lines of the application's log", lines)

    def _sweep(self, swept: sweep.Swept, person: Person) -> None:
        with self.services.db.read() as session:
            windows = list(sweep.windows(session, swept))
        for window in windows:
            with self.services.db.read() as session:
                keys = sweep.found(session, swept, window, person.words)
            for start in range(0, len(keys), sweep.ROWS_AT_ONCE):
                with self._writing() as session:
                    changed = sweep.rewrite(session, swept, keys[start : start + sweep.ROWS_AT_ONCE], person.words)
                    self._count(session, f"texts in {swept.table.name.replace('_', ' ')}", changed)
            self._renew()
            self.pause()

    def _audit(self, row: Erasure, organisation_id: int | None, person: Person) -> None:
        with self.services.db.read() as session:
            spared = frozenset(session.scalars(select(User.email)))

        def counted(session: Session, number: int) -> None:
            self._count(session, "audit entries, redacted", number)

        redact(
            self.services.db,
            organisation_id,
            person.words,
            self.services.clock.now(),
            actor="erasure",
            entity=f"erasure {row.receipt}",
            spared=spared,
            then=counted,
        )

    def _systems(self, row: Erasure, one: Traces, person: Person) -> None:
        """Do what is to be done in the two systems of a connector; what is away is tried again, and said in the end."""
        with self.services.db.read() as session:
            connector = session.get(Connector, one.connector_id)
        if connector is None:
            return
        tries = self._row().tries
        try:
            done = in_systems.do(self.services, connector, one, person, row.in_mautic)
        except IntegrationError as error:
            said = person.words.erased(str(error))
            if isinstance(error, ServiceError) and tries < len(PAUSES):
                self._set(tries=tries + 1)
                raise _Later(PAUSES[tries], f"{connector.name}: {said}") from error
            done = Done(connector.name, remains=[f"{connector.name}: not everything could be removed. {said}"])
        with self._writing() as session:
            own = session.get_one(Erasure, self.id)
            own.in_systems, own.remains = [*own.in_systems, done.to_json()], [*own.remains, *done.remains]
            own.steps = [*own.steps, f"systems of {one.connector_id}"]

    def _end(self) -> None:
        """Close the receipt; who the person was is known to nobody from here on."""
        with self._writing() as session:
            row = session.get_one(Erasure, self.id)
            now = self.services.clock.now()
            row.state, row.ended_at, row.traces, row.error = ErasureState.DONE, now, None, ""
            row.lease_token = row.leased_until = None
            audit.record(
                session,
                clock_now=now,
                organisation_id=row.organisation_id,
                connector_id=row.connector_id,
                actor="erasure",
                action=AuditAction.ERASED,
                entity=f"erasure {row.receipt}",
                diff={"address_hash": row.address_hash, "removed": dict(row.counts), "remains": list(row.remains)},
            )
        self._forget_the_log_of_writes()

    def _forget_the_log_of_writes(self) -> None:
        """Let SQLite's write-ahead log begin anew: what was deleted stands in it until then."""
        if self.services.db.sqlite:
            with self.services.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def _row(self) -> Erasure:
        with self.services.db.read() as session:
            return session.get_one(Erasure, self.id)

    def _count(self, session: Session, name: str, number: int) -> None:
        if number:
            row = session.get_one(Erasure, self.id)
            row.counts[name] = int(row.counts.get(name, 0)) + number
            flag_modified(row, "counts")

    def _step_done(self, name: str) -> None:
        with self._writing() as session:
            row = session.get_one(Erasure, self.id)
            if name not in row.steps:
                row.steps = [*row.steps, name]

    def _set(self, **values: object) -> None:
        with self._writing() as session:
            session.execute(update(Erasure).where(Erasure.id == self.id).values(**values))

    def _renew(self) -> None:
        with self._writing():
            pass

    def _writing(self) -> _Own:
        return _Own(self)


class _Own:
    """A write transaction of an erasure that is still ours; raises _Lost where it is not, and renews the lease."""

    def __init__(self, job: _Job) -> None:
        self._job = job
        self._inner = job.services.db.write()

    def __enter__(self) -> Session:
        session = self._inner.__enter__()
        job = self._job
        own = update(Erasure).where(Erasure.id == job.id, Erasure.lease_token == job.token)
        if not swapped(session, own.values(leased_until=job.services.clock.now() + LEASE)):
            lost = _Lost()
            self._inner.__exit__(_Lost, lost, None)
            raise lost
        return session

    def __exit__(self, *error: object) -> bool | None:
        return self._inner.__exit__(*error)  # type: ignore[arg-type]


def tick(services: Services) -> int:
    """Work at the erasures that are due and return how many came to their end."""
    with services.db.read() as session:
        due = (Erasure.ended_at.is_(None), Erasure.due_at <= services.clock.now())
        ids: Sequence[int] = session.scalars(select(Erasure.id).where(*due).order_by(Erasure.id)).all()
    return sum(work(services, number) for number in ids)


def work(services: Services, erasure_id: int, *, pause: Callable[[], None] = lambda: time.sleep(0.01)) -> bool:
    """Work at an erasure as far as it goes now and tell whether it has ended; a busy one is left to who has it."""
    token = new_token()
    if not _take(services, erasure_id, token):
        return False
    job = _Job(services, erasure_id, token, pause)
    try:
        job.do()
    except _Later as later:
        _give_back(services, erasure_id, token, later.wait, later.sentence)
        return False
    except _Lost:
        return False
    except Exception as error:
        # Without the traceback: it could quote the person.
        log.error("Erasure %d broke off (%s); it is tried again.", erasure_id, type(error).__name__)
        _give_back(services, erasure_id, token, timedelta(minutes=1), f"It broke off ({type(error).__name__}).")
        return False
    return True


def _take(services: Services, erasure_id: int, token: str) -> bool:
    now = services.clock.now()
    with services.db.write() as session:
        row = session.get_one(Erasure, erasure_id)
        if row.ended_at is not None or (row.lease_token and not is_lost(row.lease_token, row.leased_until, now)):
            return False
        row.lease_token, row.leased_until, row.state = token, now + LEASE, ErasureState.RUNNING
        row.started_at = row.started_at or now
    return True


def _give_back(services: Services, erasure_id: int, token: str, wait: timedelta, sentence: str) -> None:
    own = update(Erasure).where(Erasure.id == erasure_id, Erasure.lease_token == token)
    values = {"lease_token": None, "leased_until": None, "state": ErasureState.WAITING, "error": sentence}
    with services.db.write() as session:
        session.execute(own.values(due_at=services.clock.now() + wait, **values))
