"""The platform view (G1): all connectors of all organisations, with what a few set-wise queries tell of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.organisation import Organisation
from integration.models.user import User
from integration.operations.monitoring import health
from integration.operations.monitoring.health import Health
from integration.pipeline.connectors.credentials import both_known
from integration.pipeline.services import Services
from integration.url_filters import OneOf, Text, UrlFilter

#: What the list can be filtered by: each stands for some states of health.
STATUSES = {"active": "Active", "error": "Error", "paused": "Paused", "not_set_up": "Not set up"}
_STATUS_OF = {"untested": "not_set_up", "on_time": "active", "delayed": "active", "held": "error", "failing": "error"}
TYPES = {"live": "Live", "demo": "Demo"}
ROWS_MAX = 500


class PlatformQuery(UrlFilter):
    """Which connectors are shown; `q` is looked for in the names of connector and organisation and in the address."""

    q: Text = ""
    status: Annotated[str, OneOf(STATUSES)] = ""
    type: Annotated[str, OneOf(TYPES)] = ""

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs()


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """A connector with its organisation; `dead` says whether dead letters wait."""

    connector: Connector
    organisation: str
    health: Health
    dead: bool

    @property
    def status(self) -> str:
        """Return active, error, paused or not_set_up."""
        return _STATUS_OF.get(self.health.code, self.health.code)


@dataclass(frozen=True, slots=True)
class Totals:
    """How many there are in all, whatever is filtered."""

    connectors: int
    active: int
    error: int
    paused: int
    organisations: int


def rows(session: Session, services: Services) -> list[PlatformRow]:
    """Return all connectors by organisation and name, each with its health as Overview shows it."""
    now = services.clock.now()
    query = (
        select(Connector, Organisation.name)
        .join(Organisation, Organisation.id == Connector.organisation_id)
        .order_by(Organisation.name, Connector.name, Connector.id)
    )
    found = session.execute(query).all()
    facts = health.facts.many(session, now, [each.id for each, _ in found])
    return [
        PlatformRow(
            each,
            owner,
            health.of(session, now, each, connected=both_known(services, each), known=facts[each.id]),
            facts[each.id].has_dead,
        )
        for each, owner in found
    ]


def totals(found: Sequence[PlatformRow]) -> Totals:
    """Return the totals of all connectors."""
    count = {status: sum(row.status == status for row in found) for status in STATUSES}
    owners = len({row.connector.organisation_id for row in found})
    return Totals(len(found), count["active"], count["error"], count["paused"], owners)


def chosen(found: Sequence[PlatformRow], query: PlatformQuery) -> list[PlatformRow]:
    """Return the rows that a query wants."""
    wanted = query.q.casefold()
    return [
        row
        for row in found
        if (not wanted or wanted in f"{row.connector.name} {row.organisation} {row.connector.store_url}".casefold())
        and (not query.status or row.status == query.status)
        and (not query.type or row.connector.is_demo == (query.type == "demo"))
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
