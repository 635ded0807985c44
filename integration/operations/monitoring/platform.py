"""The platform view (G1): all connectors of all organisations, with what a few set-wise queries tell of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from integration.models.connector import Connector, ConnectorState
from integration.models.delivery import Delivery
from integration.models.hold import Hold
from integration.models.organisation import Organisation
from integration.models.run import Run, RunState
from integration.models.user import User

STATUSES = {"active": "Active", "error": "Error", "paused": "Paused", "not_set_up": "Not set up"}
TYPES = {"live": "Live", "demo": "Demo"}
MOST = 500


@dataclass(frozen=True, slots=True)
class Line:
    """A connector with its organisation; `status` is active, error, paused or not_set_up."""

    connector: Connector
    organisation: str
    status: str
    dead: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """How many there are in all, whatever is filtered."""

    connectors: int
    active: int
    error: int
    paused: int
    organisations: int


def lines(session: Session) -> list[Line]:
    """Return all connectors by organisation and name."""
    held = exists().where(Hold.connector_id == Connector.id, Hold.released_at.is_(None))
    dead = exists().where(Delivery.connector_id == Connector.id, Delivery.state == literal_column("'dead'"))
    other = aliased(Run)
    newest = select(func.max(other.id)).where(other.connector_id == Connector.id).correlate(Connector)
    failed = exists().where(Run.id == newest.scalar_subquery(), Run.state == RunState.FAILED)
    query = (
        select(Connector, Organisation.name, or_(held, failed), dead)
        .join(Organisation, Organisation.id == Connector.organisation_id)
        .order_by(Organisation.name, Connector.name, Connector.id)
    )
    return [Line(row, name, _status(row, bad), waits) for row, name, bad, waits in session.execute(query)]


def _status(connector: Connector, bad: bool) -> str:
    if not (connector.store_url and connector.mautic_url):
        return "not_set_up"
    if connector.state == ConnectorState.PAUSED:
        return "paused"
    return "error" if bad else "active"


def totals(found: Sequence[Line]) -> Totals:
    """Return the totals of all connectors."""
    count = {status: sum(line.status == status for line in found) for status in STATUSES}
    owners = len({line.connector.organisation_id for line in found})
    return Totals(len(found), count["active"], count["error"], count["paused"], owners)


def chosen(found: Sequence[Line], text: str, status: str, kind: str) -> list[Line]:
    """Return the lines whose connector, organisation or store has the text, of a status and type if given."""
    wanted = text.casefold()
    return [
        line
        for line in found
        if (not wanted or wanted in f"{line.connector.name} {line.organisation} {line.connector.store_url}".casefold())
        and (not status or line.status == status)
        and (not kind or line.connector.is_demo == (kind == "demo"))
    ]


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation with its numbers."""

    id: int
    name: str
    users: int
    connectors: int


def owners(session: Session) -> list[Owner]:
    """Return all organisations by name."""
    users = select(func.count()).where(User.organisation_id == Organisation.id).scalar_subquery()
    pairs = select(func.count()).where(and_(Connector.organisation_id == Organisation.id)).scalar_subquery()
    rows = session.execute(select(Organisation.id, Organisation.name, users, pairs).order_by(Organisation.name))
    return [Owner(*row) for row in rows]
