"""Promotion: the oldest waiting delivery of a person becomes ready."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from integration.models.membership import Several

# Person by person, by their index, whatever PostgreSQL believes of how many wait: told as NOT EXISTS and IN it joined
# all that wait with all leads, for seconds, where its statistics were older than a run's first pages.
_PROMOTE = """
    UPDATE delivery SET state = 'ready',
        priority = (SELECT MIN(w.priority) FROM delivery w
                    WHERE w.connector_id = :connector AND w.person_key = delivery.person_key AND w.state = 'waiting')
    WHERE id IN (SELECT (SELECT MIN(w.id) FROM delivery w
                         WHERE w.connector_id = :connector AND w.person_key = {key} AND w.state = 'waiting')
                 FROM {people})
      AND (SELECT l.id FROM delivery l WHERE l.connector_id = :connector
           AND l.person_key = delivery.person_key AND l.state IN ('ready', 'leased') LIMIT 1) IS NULL
    """
_ON = {
    "sqlite": _PROMOTE.format(key="people.value", people="json_each(:people) AS people"),
    "postgresql": _PROMOTE.format(key="people.key", people="unnest(CAST(:people AS text[])) AS people(key)"),
}
_STATEMENTS = {
    dialect: text(statement).bindparams(bindparam("people", type_=Several(numbers=False)))
    for dialect, statement in _ON.items()
}


def promote(session: Session, connector_id: int, person_keys: Collection[str]) -> None:
    """Make the oldest waiting delivery of each person ready, unless one is ready or leased already."""
    if person_keys:
        statement = _STATEMENTS[session.get_bind().dialect.name]
        session.execute(statement, {"connector": connector_id, "people": sorted(person_keys)})
