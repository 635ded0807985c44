"""A validated request for entries of the audit log, as its address says it, and the entries that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction, AuditEntry
from integration.models.database import Database
from integration.models.sql import Total, counted_upto
from integration.operations.audit import chain
from integration.url_filters import Day, OneOf, Text, UrlFilter, WholeNumber, begin_of, end_of

AUDIT_MAX_ROWS = 100


class AuditQuery(UrlFilter):
    """Which entries are wanted, newest first; texts are looked for anywhere, days are whole ones of the zone.

    `organisation_id` None means all organisations, 0 the entries of none; `before` is an id that was reached already.
    """

    organisation_id: int | None
    actor: Text = ""
    action: Annotated[str, OneOf([each.value for each in AuditAction])] = ""
    connector: Annotated[int | None, WholeNumber()] = None
    entity: Text = ""
    since: Day = None
    until: Day = None
    before: Annotated[int | None, WholeNumber()] = None
    zone: str = "UTC"

    @classmethod
    def parse(
        cls, organisation_id: int | None, args: Mapping[str, Any], zone: str = "UTC"
    ) -> tuple[AuditQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        return cls.from_url(args, zone, organisation_id=organisation_id)

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("before")


def read(session: Session, query: AuditQuery, size: int = AUDIT_MAX_ROWS) -> Sequence[AuditEntry]:
    """Return up to `size` entries that fit, newest first."""
    rows = select(AuditEntry).where(*_conditions(query)).order_by(AuditEntry.id.desc()).limit(size)
    return session.scalars(rows).all()


def count(session: Session, query: AuditQuery) -> Total:
    """Return how many entries fit, on whatever page."""
    wanted = _conditions(query.model_copy(update={"before": None}))
    return counted_upto(session, select(AuditEntry.id).where(*wanted))


def walk(db: Database, query: AuditQuery, size: int = 500) -> Iterator[Sequence[AuditEntry]]:
    """Yield all entries that fit, newest first, each slice in a read of its own so that no lock is held long."""
    while True:
        with db.read() as session:
            entries = read(session, query, size)
        if not entries:
            return
        yield entries
        query = query.model_copy(update={"before": entries[-1].id})


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    begin, end = begin_of(query.since, query.zone), end_of(query.until, query.zone)
    wanted: list[tuple[object, ColumnElement[bool]]] = [
        (query.actor, AuditEntry.actor.icontains(query.actor, autoescape=True)),
        (query.entity, AuditEntry.entity.icontains(query.entity, autoescape=True)),
        (query.action, AuditEntry.action == query.action),
    ]
    found = [condition for value, condition in wanted if value]
    if query.organisation_id is not None:
        found.append(chain.of(query.organisation_id or None))
    if query.connector is not None:
        found.append(AuditEntry.connector_id == query.connector)
    if query.before is not None:
        found.append(AuditEntry.id < query.before)
    if begin:
        found.append(AuditEntry.at >= begin)
    if end:
        found.append(AuditEntry.at < end)
    return found
