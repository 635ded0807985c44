"""The roles that the store's users have, as they were met: the store has no list of its roles that a key can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.settings.kinds import is_role
from integration.store.sanitizing import text_of

#: Key of a connector's store facts.
ROLES = "roles"
#: More roles than this are no roles: a plugin writes something else there.
ROLES_MAX = 50


def seen(connector: Connector) -> tuple[str, ...]:
    """Return the slugs of the roles that users of the store have had, by name."""
    return tuple(sorted(map(str, connector.store_facts.get(ROLES) or ())))


def note(session: Session, connector_id: int, customers: Iterable[Mapping[str, Any]]) -> None:
    """Keep the roles of these customers with those met before."""
    met = {role for row in customers if is_role(role := text_of(row.get("role")).strip())}
    row = session.get_one(Connector, connector_id)
    known = set(seen(row))
    if met - known:
        row.store_facts = {**row.store_facts, ROLES: sorted(known | met)[:ROLES_MAX]}
