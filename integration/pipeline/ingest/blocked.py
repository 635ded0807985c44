"""Addresses of people who were erased and are not to come back: nothing is taken of them, and only a hash is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration.events import Change
from integration.identity import person_key_of
from integration.models import membership
from integration.models.connector import Connector
from integration.models.erasure import BlockedAddress
from integration.plans import Skip

#: Stands for all connectors of an organisation.
ALL = 0
BLOCKED = Skip("blocked", "The person was erased and asked not to be taken up again, so nothing is kept or sent.")


_OWNER = select(Connector.organisation_id).where(Connector.id == bindparam("connector_id")).scalar_subquery()
_AMONG = select(BlockedAddress.person_key).where(
    BlockedAddress.organisation_id == _OWNER,
    BlockedAddress.connector_id.in_((ALL, bindparam("connector_id"))),
    membership.among(BlockedAddress.person_key, bindparam("person_keys")),
)


def among(session: Session, connector_id: int, person_keys: Collection[str]) -> frozenset[str]:
    """Return which of these people are blocked for a connector."""
    wanted = sorted(set(person_keys) - {""})
    if not wanted:
        return frozenset()
    return frozenset(session.scalars(_AMONG, {"connector_id": connector_id, "person_keys": wanted}))


def is_blocked(session: Session, connector_id: int, email: str) -> bool:
    """Tell whether nothing is to be taken of an address."""
    return bool(email) and bool(among(session, connector_id, [person_key_of(email)]))


def emptied(changes: Sequence[Change], blocked: Collection[str]) -> list[Change]:
    """Return the changes, those of blocked people with nothing but the id of the record."""
    return [_empty(each) if each.person_key in blocked else each for each in changes]


def _empty(change: Change) -> Change:
    return replace(change, payload={"id": change.source_id, "blocked": True}, reached_at=None)
