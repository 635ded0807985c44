"""The lease of an erasure: who has it works at it, writes while it is theirs, and keeps what is done and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from integration.models.erasure import Erasure, ErasureState
from integration.models.sql import swapped
from integration.pipeline.leases.tokens import is_lost, new_token
from integration.pipeline.services import Services

LENGTH = timedelta(minutes=2)


class Lost(Exception):
    """Another process has the erasure by now."""


class Lease:
    """An erasure that this process works at."""

    def __init__(self, services: Services, erasure_id: int, token: str) -> None:
        self.id = erasure_id
        self._services, self._token = services, token

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a write transaction, and renew the lease in it; raises Lost where the erasure is another's."""
        with self._services.db.write() as session:
            mine = update(Erasure).where(Erasure.id == self.id, Erasure.lease_token == self._token)
            if not swapped(session, mine.values(leased_until=self._services.clock.now() + LENGTH)):
                raise Lost
            yield session

    def row(self) -> Erasure:
        """Return the erasure as it is now."""
        with self._services.db.read() as session:
            return session.get_one(Erasure, self.id)

    def renew(self) -> None:
        """Renew the lease; raises Lost."""
        with self.write():
            pass

    def set(self, **values: object) -> None:
        """Write values of the erasure; raises Lost."""
        with self.write() as session:
            session.execute(update(Erasure).where(Erasure.id == self.id).values(**values))

    def count(self, session: Session, name: str, number: int) -> None:
        """Count what is gone in the transaction in which it goes."""
        if number:
            row = session.get_one(Erasure, self.id)
            row.counts[name] = int(row.counts.get(name, 0)) + number
            flag_modified(row, "counts")

    def step_done(self, session: Session, name: str) -> None:
        """Note that a step is done, which is not done again."""
        row = session.get_one(Erasure, self.id)
        if name not in row.steps:
            row.steps = [*row.steps, name]

    def give_back(self, wait: timedelta, sentence: str) -> None:
        """Let the erasure go on in a while, and say why not now; nothing happens where it is another's."""
        mine = update(Erasure).where(Erasure.id == self.id, Erasure.lease_token == self._token)
        values = {"lease_token": None, "leased_until": None, "state": ErasureState.WAITING, "error": sentence}
        with self._services.db.write() as session:
            session.execute(mine.values(due_at=self._services.clock.now() + wait, **values))


def take(services: Services, erasure_id: int) -> Lease | None:
    """Return the lease of an erasure, None where it has ended or somebody is at it."""
    now, token = services.clock.now(), new_token()
    with services.db.write() as session:
        row = session.get_one(Erasure, erasure_id)
        if row.ended_at is not None or (row.lease_token and not is_lost(row.lease_token, row.leased_until, now)):
            return None
        row.lease_token, row.leased_until, row.state = token, now + LENGTH, ErasureState.RUNNING
        row.started_at = row.started_at or now
    return Lease(services, erasure_id, token)
