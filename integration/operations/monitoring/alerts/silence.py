"""Silence: for a time nobody is told of a cause, or of every cause of a connector (X18)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.field_errors import Unusable
from integration.models.alert import AlertSilence
from integration.operations.monitoring.alerts.finding import CAUSES
from integration.settings.kinds import Settings

#: Hours -> what they are called.
SPANS = {1: "1 hour", 8: "8 hours", 24: "1 day", 168: "1 week"}
#: The cause that stands for all.
EVERY = ""


def _connector_id(value: Any, info: ValidationInfo) -> int:
    known = {str(number): number for number in info.context or ()}
    if str(value) not in known:
        raise Unusable("There is no such connector.", "Choose one from the list.")
    return int(known[str(value)])


def _cause(value: Any) -> str:
    if value != EVERY and value not in CAUSES:
        raise Unusable("There is no such cause.", "Choose one from the list.")
    return str(value)


def _hours(value: Any) -> int:
    spans = {str(hours): hours for hours in SPANS}
    if str(value) not in spans:
        raise Unusable("A silence cannot last that long.", "Choose a time from the list.")
    return spans[str(value)]


class SilenceSubject(Settings):
    """What a silence is about, as a form says it."""

    connector_id: Annotated[int, BeforeValidator(_connector_id)]
    cause: Annotated[str, BeforeValidator(_cause)]

    @property
    def name(self) -> str:
        """Return what the silence is about, in words."""
        return CAUSES.get(self.cause, "every cause")


class SilenceRequest(SilenceSubject):
    """A silence that somebody asks for."""

    hours: Annotated[int, BeforeValidator(_hours)]


def begin(session: Session, now: datetime, connector_id: int, cause: str, hours: int, by: str) -> AlertSilence:
    """Be silent about a cause from now on, and forget silences that are over; return the one that holds now."""
    session.execute(delete(AlertSilence).where(AlertSilence.until <= now))
    row = AlertSilence(connector_id=connector_id, cause=cause, until=now + timedelta(hours=hours), by=by[:254])
    return session.merge(row)


def end(session: Session, connector_id: int, cause: str) -> AlertSilence | None:
    """Speak again, and return the silence that was ended, None when there was none."""
    row = session.get(AlertSilence, (connector_id, cause))
    if row is not None:
        session.delete(row)
        session.flush()
    return row


def silences(session: Session, now: datetime, connector_ids: Collection[int]) -> Sequence[AlertSilence]:
    """Return the silences of these connectors that hold now, the one that ends first at the beginning."""
    query = select(AlertSilence).where(AlertSilence.connector_id.in_(connector_ids), AlertSilence.until > now)
    return session.scalars(query.order_by(AlertSilence.until, AlertSilence.connector_id)).all()


def silent(session: Session, now: datetime, connector_id: int) -> frozenset[str]:
    """Return the causes of a connector that nobody is told of now; EVERY among them stands for all."""
    return frozenset(row.cause for row in silences(session, now, [connector_id]))
