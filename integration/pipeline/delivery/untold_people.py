"""Of which people the door may tell that nothing has changed: those whose records need no question to anybody."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.events import HISTORICAL, Change, Origin
from integration.models.contact_link import ContactLink
from integration.pipeline.delivery import busy_people
from integration.streams.base import LEAVES

#: What history brings; a replay is asked of the store again before it is sent.
_ORIGINS = HISTORICAL - {Origin.REPLAY, Origin.SCORES}


def among(session: Session, connector_id: int, changes: Sequence[Change]) -> set[str]:
    """Return the people who are linked and all of whose records on the page may be told here."""
    people = {change.ordering_key for change in changes if change.person_key}
    people -= {change.ordering_key for change in changes if not _may_be_told(change)}
    people -= _repeated(changes)
    linked = select(ContactLink.person_key).where(
        ContactLink.connector_id == connector_id, ContactLink.person_key.in_(sorted(people))
    )
    people = set(session.scalars(linked)) if people else people
    records = {(str(c.kind), c.source_id): c.ordering_key for c in changes if c.ordering_key in people}
    return people - busy_people.among(session, connector_id, records) if people else people


def _may_be_told(change: Change) -> bool:
    stream = streams.of(change.kind)
    of_store = change.source_id.isdigit() and not (stream.kept_here or stream.is_cart or stream.nameless)
    return of_store and change.origin in _ORIGINS and change.event not in LEAVES and not change.restored


def _repeated(changes: Sequence[Change]) -> set[str]:
    """Return whose records are on the page twice: the outbox keeps one of them."""
    seen: set[tuple[str, str]] = set()
    twice: set[str] = set()
    for change in changes:
        record = (change.kind, change.source_id)
        twice |= {change.ordering_key} if record in seen else set()
        seen.add(record)
    named = {(c.kind, c.source_id) for c in changes if c.ordering_key in twice}
    return {c.ordering_key for c in changes if (c.kind, c.source_id) in named}
