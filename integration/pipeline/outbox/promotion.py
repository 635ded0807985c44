"""Promotion: the oldest waiting delivery of a person becomes ready."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

_PROMOTE = text(
    """
    UPDATE delivery SET state = 'ready',
        priority = (SELECT MIN(w.priority) FROM delivery w
                    WHERE w.connector_id = :connector AND w.person_key = delivery.person_key AND w.state = 'waiting')
    WHERE id IN (SELECT MIN(w.id) FROM delivery w
                 WHERE w.connector_id = :connector AND w.state = 'waiting' AND w.person_key IN :person_keys
                 GROUP BY w.person_key)
      AND NOT EXISTS (SELECT 1 FROM delivery l WHERE l.connector_id = :connector
                      AND l.person_key = delivery.person_key AND l.state IN ('ready', 'leased'))
    """
).bindparams(bindparam("person_keys", expanding=True))


def promote(session: Session, connector_id: int, person_keys: Collection[str]) -> None:
    """Make the oldest waiting delivery of each person ready, unless one is ready or leased already."""
    ordered = sorted(person_keys)
    for start in range(0, len(ordered), 500):
        session.execute(_PROMOTE, {"connector": connector_id, "person_keys": ordered[start : start + 500]})
