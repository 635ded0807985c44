"""What became of something that a program sent: waiting, delivered, skipped and why, or failed and by what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.models.cart import Cart, CartState
from integration.models.connector import Connector
from integration.models.delivery import OPEN, Delivery, DeliveryState
from integration.pipeline.ingest.cart_keeping import API
from integration.record_ids import given_of, is_given
from integration.settings import Modules
from integration.streams.carts import ENDS
from integration.words import counted

WAITING, SKIPPED, REPLACED = "waiting", "skipped", "replaced"
STATES = (WAITING, "delivered", SKIPPED, "conflict", "dead", "discarded", REPLACED)
_NO_CONSENT = "The person has not agreed to be reminded, so nothing of them was kept."


@dataclass(frozen=True, slots=True)
class Followed:
    """Where something that was sent stands.

    `id` is what the program called it. `reason` says why it is not delivered, or what is still to come; `error` is its
    code. `replaced_by` is the delivery that stands for it since.
    """

    kind: str
    id: str
    state: str
    created_at: datetime
    reason: str = ""
    error: str = ""
    attempts: int = 0
    contact_id: int | None = None
    settled_at: datetime | None = None
    replaced_by: int | None = None


def delivery(session: Session, connector_id: int, number: int) -> Followed | None:
    """Return where a contact or an order stands, None when no program sent it, or it is kept no more."""
    row = session.get(Delivery, number)
    if row is None or row.connector_id != connector_id or not is_given(row.source_id):
        return None
    return _of_row(row, row.kind, given_of(row.source_id))


def cart(session: Session, connector: Connector, number: int) -> Followed | None:
    """Return where a cart stands: it waits until it counts as left, then its delivery tells."""
    row = session.get(Cart, number)
    if row is None or row.connector_id != connector.id or row.source != API:
        return None
    (kind,) = streams.kinds("is_cart")
    given = given_of(row.key).partition("#")[0]
    if (ended := _ended(row)) is not None:
        return Followed(kind, given, SKIPPED, row.created_at, *ended, settled_at=row.ended_at or row.changed_at)
    sent = _newest(session, connector.id, str(row.id)) if row.prepared_at is not None else None
    if sent is not None:
        return _of_row(sent, kind, given)
    timeout = counted(Modules.from_json(connector.settings).carts.timeout, "minute")
    reason = f"It is sent when nothing has changed for {timeout}." if row.state == CartState.ACTIVE else row.problem
    return Followed(kind, given, WAITING, row.created_at, reason)


def _ended(row: Cart) -> tuple[str, str] | None:
    """Return why a cart ended without being sent, sentence and code, None for any other."""
    if row.state == CartState.NO_CONSENT:
        return ENDS["consent"] if row.reason == "consent" else _NO_CONSENT, "no_consent"
    return (ENDS[row.reason], row.reason) if row.reason in ENDS else None


def _newest(session: Session, connector_id: int, source_id: str) -> Delivery | None:
    mine = (Delivery.connector_id == connector_id, Delivery.source_id == source_id)
    kinds = Delivery.kind.in_(streams.kinds("is_cart"))
    return session.scalar(select(Delivery).where(*mine, kinds).order_by(Delivery.id.desc()).limit(1))


def _of_row(row: Delivery, kind: str, given: str) -> Followed:
    state = WAITING if row.state in OPEN else REPLACED if row.state == DeliveryState.CLOSED else str(row.state)
    return Followed(
        kind,
        given,
        state,
        row.created_at,
        row.discard_reason or row.error,
        row.error_code,
        row.attempts_in_all,
        row.contact_id,
        row.settled_at,
        row.closed_by,
    )
