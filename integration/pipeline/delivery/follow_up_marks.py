"""The marks of notes, segments and e-mails: what is done once for an order and a status (P39, P40, P42)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.orm import Session

from integration.models.follow_up import FollowUpMark, MarkState
from integration.models.membership import among
from integration.plans import FollowUp, SegmentAdd, SegmentRemove

#: (order id, status, action).
MarkKey = tuple[str, str, str]
#: A mark key with the contact that was added to a segment, 0 for what needs no contact to be known again.
Done = tuple[str, str, str, int]
SEGMENT = "segment:"
_LEFT = "left_segment:"


_MARKS = select(FollowUpMark).where(
    FollowUpMark.connector_id == bindparam("connector_id"),
    # Without the orders by themselves SQLite walks through all marks of the connector.
    among(FollowUpMark.order_id, bindparam("orders")),
    tuple_(FollowUpMark.order_id, FollowUpMark.status, FollowUpMark.action).in_(bindparam("keys")),
)


def key_of(follow_up: FollowUp) -> MarkKey:
    """Return what makes a follow-up one: order, status, action; each segment is an action of its own."""
    return follow_up.order_id, follow_up.status, _action(follow_up)


def _action(follow_up: FollowUp) -> str:
    if isinstance(follow_up, SegmentAdd):
        return f"{SEGMENT}{follow_up.segment_id}"
    return f"{_LEFT}{follow_up.segment_id}" if isinstance(follow_up, SegmentRemove) else follow_up.action


def identity_of(follow_up: FollowUp, contact_id: int) -> Done:
    """Return what makes a follow-up one: a segment is one a contact, a note or an e-mail is one an order."""
    return (*key_of(follow_up), contact_id if isinstance(follow_up, SegmentAdd) else 0)


def is_done(follow_up: FollowUp, contact_id: int, done: Collection[Done]) -> bool:
    """Tell whether a follow-up was done before; `contact_id` is 0 for a contact that is new."""
    return identity_of(follow_up, contact_id) in done


def done_before(session: Session, connector_id: int, acts: Iterable[FollowUp]) -> set[Done]:
    """Return which of the follow-ups were done before, as `is_done` takes them."""
    return done_among(marks_of(session, connector_id, acts))


def done_among(marks: Mapping[MarkKey, FollowUpMark]) -> set[Done]:
    """Return the marks of what is done, as `is_done` takes them."""
    done = {key: mark for key, mark in marks.items() if mark.state == MarkState.DONE}
    return {(*key, (mark.contact_id or 0) if key[2].startswith(SEGMENT) else 0) for key, mark in done.items()}


def marks_of(session: Session, connector_id: int, acts: Iterable[FollowUp]) -> dict[MarkKey, FollowUpMark]:
    """Return the marks that the follow-ups have."""
    keys = sorted({key_of(act) for act in acts})
    if not keys:
        return {}
    values = {"connector_id": connector_id, "orders": sorted({order_id for order_id, _, _ in keys}), "keys": keys}
    return {(row.order_id, row.status, row.action): row for row in session.scalars(_MARKS, values)}
