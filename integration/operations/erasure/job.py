"""The job of an erasure: one step after the other, each harmless to do again, so that a kill costs only time.

Who is on the way to Mautic this moment is waited for. What is gone is counted in the transaction in which it goes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, ServiceError, SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.erasure import Erasure, ErasureState
from integration.models.user import User
from integration.operations import audit
from integration.operations.audit.redaction import redact
from integration.operations.erasure import files, in_systems, lease, line, rows, sweep
from integration.operations.erasure.asking import connectors_of
from integration.operations.erasure.in_systems import Done
from integration.operations.erasure.lease import Lease, Lost
from integration.operations.erasure.traces import Person, Traces, gather
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

EVERY_S = 5
#: Whoever waits beside an erasure leaves one that is put off for longer to the worker.
LONG_WAIT = timedelta(seconds=30)
#: So long after a record on the way was met it is looked again.
LOOK_AGAIN = timedelta(seconds=5)
#: Pauses between tries where Mautic or the store is away; after the last one the receipt says what stays there.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 60, 240, 720))
_ON_ITS_WAY = "A record of this person is on its way to Mautic; the erasure goes on when it has arrived."


class _Later(Exception):
    """The erasure goes on in a while."""

    def __init__(self, wait: timedelta, sentence: str) -> None:
        super().__init__(sentence)
        self.wait, self.sentence = wait, sentence


@dataclass
class _Job:
    """An erasure that this process has the lease of."""

    services: Services
    lease: Lease
    pause: Callable[[], None]

    def do(self) -> None:
        """Do the steps that are left."""
        row = self.lease.row()
        person = Person.from_json(self.services.vault.open(row.traces))
        if "begin" not in row.steps:
            person = self._begin(row, person)
        for name, step in self._steps(row, person):
            if name not in self.lease.row().steps:
                step()
                self._step_done(name)
        self._end()

    def _steps(self, row: Erasure, person: Person) -> Iterator[tuple[str, Callable[[], None]]]:
        for one in person.traces:
            yield f"rows of {one.connector_id}", partial(self._rows, one)
        yield "files", partial(self._files, person)
        ids = [one.connector_id for one in person.traces]
        for swept in sweep.tables(row.organisation_id, ids):
            yield f"texts of {swept.table.name}", partial(self._sweep, swept, person)
        for chain in (row.organisation_id, None):
            yield f"audit of {chain}", partial(self._audit, row, chain, person)
        for one in person.traces:
            yield _in_systems(one), partial(self._systems, row, one, person)
        # Debug mode has just written down what Mautic was asked and answered of the person.
        yield "files again", partial(self._files, person)

    def _begin(self, row: Erasure, person: Person) -> Person:
        """Take what waits out of the line and return what is known now; raises _Later while something is under way."""
        for one in person.traces:
            with self.lease.write() as session:
                self._nothing_under_way(session, one)
        person = gather(self.services.db, person.email, self._connectors(row))
        self.lease.set(traces=self.services.vault.seal(person.to_json()))
        for one in person.traces:
            with self.lease.write() as session:
                self._nothing_under_way(session, one)
                line.empty(session, self.services.clock.now(), one)
        self._step_done("begin")
        return person

    def _connectors(self, row: Erasure) -> Sequence[int]:
        """Return the connectors that are left; one that was deleted meanwhile has taken its rows with it."""
        try:
            return connectors_of(self.services, row.organisation_id, row.connector_id)
        except SettingError:
            return []

    def _nothing_under_way(self, session: Session, one: Traces) -> None:
        if line.is_under_way(session, self.services.clock.now(), one):
            raise _Later(LOOK_AGAIN, _ON_ITS_WAY)

    def _rows(self, one: Traces) -> None:
        for part in rows.of(one.connector_id, one):
            while True:
                with self.lease.write() as session:
                    gone = rows.take(session, part)
                    self.lease.count(session, part.name, gone)
                if gone < rows.ROWS_AT_ONCE:
                    break
                self.pause()

    def _files(self, person: Person) -> None:
        ids = [one.connector_id for one in person.traces]

        def counted(session: Session, number: int) -> None:
            self.lease.count(session, "payload files", number)

        files.payloads(self.services, ids, person.words, counted)
        debug = files.debug_lines(self.services, ids, person.words)
        lines = files.log_lines(self.services, ids, person.words)
        with self.lease.write() as session:
            self.lease.count(session, "exchanges of debug mode", debug)
            self.lease.count(session, "lines of the application's log", lines)

    def _sweep(self, swept: sweep.Swept, person: Person) -> None:
        with self.services.db.read() as session:
            windows = list(sweep.windows(session, swept))
        for window in windows:
            with self.services.db.read() as session:
                keys = sweep.found(session, swept, window, person.words)
            for start in range(0, len(keys), sweep.ROWS_AT_ONCE):
                with self.lease.write() as session:
                    changed = sweep.rewrite(session, swept, keys[start : start + sweep.ROWS_AT_ONCE], person.words)
                    self.lease.count(session, f"texts in {swept.table.name.replace('_', ' ')}", changed)
            self.lease.renew()
            self.pause()

    def _audit(self, row: Erasure, organisation_id: int | None, person: Person) -> None:
        with self.services.db.read() as session:
            spared = frozenset(session.scalars(select(User.email)))

        def counted(session: Session, number: int) -> None:
            self.lease.count(session, "audit entries, redacted", number)

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
        tries = self.lease.row().tries
        try:
            done = in_systems.do(self.services, connector, one, person, row.in_mautic)
        except IntegrationError as error:
            said = person.words.erased(str(error))
            if isinstance(error, ServiceError) and tries < len(PAUSES):
                self.lease.set(tries=tries + 1)
                raise _Later(PAUSES[tries], f"{connector.name}: {said}") from error
            done = Done(connector.name, remains=[f"{connector.name}: not everything could be removed. {said}"])
        with self.lease.write() as session:
            own = session.get_one(Erasure, self.lease.id)
            own.in_systems, own.remains = [*own.in_systems, done.to_json()], [*own.remains, *done.remains]
            self.lease.step_done(session, _in_systems(one))

    def _end(self) -> None:
        """Close the receipt; who the person was is known to nobody from here on."""
        with self.lease.write() as session:
            row = session.get_one(Erasure, self.lease.id)
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

    def _step_done(self, name: str) -> None:
        with self.lease.write() as session:
            self.lease.step_done(session, name)


def _in_systems(one: Traces) -> str:
    return f"systems of {one.connector_id}"


def tick(services: Services) -> int:
    """Work at the erasures that are due and return how many came to their end."""
    with services.db.read() as session:
        due = (Erasure.ended_at.is_(None), Erasure.due_at <= services.clock.now())
        ids: Sequence[int] = session.scalars(select(Erasure.id).where(*due).order_by(Erasure.id)).all()
    return sum(work(services, number) for number in ids)


def work(services: Services, erasure_id: int, *, pause: Callable[[], None] = lambda: time.sleep(0.01)) -> bool:
    """Work at an erasure as far as it goes now and tell whether it has ended; a busy one is left to who has it."""
    held = lease.take(services, erasure_id)
    if held is None:
        return False
    try:
        _Job(services, held, pause).do()
    except _Later as later:
        held.give_back(later.wait, later.sentence)
        return False
    except Lost:
        return False
    except Exception as error:
        # Without the traceback: it could quote the person.
        log.error("Erasure %d broke off (%s); it is tried again.", erasure_id, type(error).__name__)
        held.give_back(timedelta(minutes=1), f"It broke off ({type(error).__name__}).")
        return False
    return True
