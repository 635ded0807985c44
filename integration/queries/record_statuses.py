"""The statuses that a record shows, each a word for people and a condition on deliveries (A2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, literal_column, not_
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery, DeliveryState
from integration.models.sql import keeping_order
from integration.pipeline.delivery.retries import Category
from integration.pipeline.outbox.states import DEAD, LEASED, OPEN, PARTIAL

#: Failures to read what the store gave; the record never came as far as Mautic.
EXTRACTION = ("no_id", "bad_amount", "bad_date", "bad_number", "bad_shape", "bad_text", "unreadable")


@dataclass(frozen=True, slots=True)
class Status:
    """A status: its word, the colour of its badge (ok, warn, info, bad, muted), what it means, where it is counted.

    `counted` is the state of models.RecordCount that holds exactly these records, "" where only the rows tell.
    """

    code: str
    label: str
    kind: str
    meaning: str
    counted: str = ""

    @property
    def figure(self) -> str:
        """Return the figure of a list that counts such records."""
        return _FIGURES.get(self.code, self.code)


_FIGURES = {
    "uncertain": "failed",
    "extraction": "failed",
    "progress": "open",
    "waiting": "open",
    "retrying": "open",
}
_ALL = (
    Status("success", "Success", "ok", "Mautic confirmed it.", "delivered"),
    Status("partial", "Partial Success", "warn", "The contact is written, a note or the like is not.", "partial"),
    Status("failed", "Failed", "bad", "No more automatic tries; a person decides.", "dead"),
    Status("uncertain", "Partially Failed", "warn", "It may have been done in part; a person decides."),
    Status("extraction", "Extraction Failed", "bad", "What the store gave could not be read."),
    Status("progress", "In Progress", "info", "It is on its way to Mautic now."),
    Status("waiting", "Waiting", "muted", "It is sent as soon as its turn comes."),
    Status("retrying", "Retrying", "muted", "It did not work and is tried again by itself."),
    Status("skipped", "Skipped", "muted", "Nothing had to be sent; the details say why.", "skipped"),
    Status("conflict", "Conflict", "muted", "Somebody changed the contact in Mautic; that value was kept.", "conflict"),
    Status("closed", "Closed", "muted", "It failed, and another try of the same record stands for it now.", "closed"),
    Status("discarded", "Discarded", "muted", "A person gave it up, or its run was cancelled.", "discarded"),
)
STATUSES = {status.code: status for status in _ALL}


def _state(name: str) -> ColumnElement[bool]:
    return and_(Delivery.state == literal_column(f"'{name}'"), Delivery.settled_at.is_not(None))


_TRIED = (Delivery.attempts > 0) & (Delivery.error_code != "")
_UNLEASED = and_(OPEN, ~LEASED, Delivery.lease_token.is_(None))
_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "success": lambda: and_(_state("delivered"), not_(Delivery.partial)),
    "partial": lambda: PARTIAL,
    "failed": lambda: DEAD,
    "uncertain": lambda: and_(DEAD, Delivery.category == Category.UNCERTAIN),
    "extraction": lambda: and_(DEAD, Delivery.error_code.in_(EXTRACTION)),
    "progress": lambda: and_(OPEN, Delivery.lease_token.is_not(None)),
    "waiting": lambda: and_(_UNLEASED, not_(_TRIED)),
    "retrying": lambda: and_(_UNLEASED, _TRIED),
    "skipped": lambda: _state("skipped"),
    "conflict": lambda: _state("conflict"),
    "closed": lambda: _state("closed"),
    "discarded": lambda: _state("discarded"),
}


def condition(code: str) -> ColumnElement[bool]:
    """Return the condition on deliveries of a status."""
    return _CONDITIONS[code]()


def in_order(session: Session, code: str) -> ColumnElement[bool]:
    """Return the same of a status that is counted, for rows that are ordered by their state and then by id."""
    state = keeping_order(session, Delivery.state, literal_column(f"'{STATUSES[code].counted}'"))
    found = and_(state, Delivery.settled_at.is_not(None))
    return and_(found, not_(Delivery.partial)) if code == "success" else found


def status_of(row: Delivery) -> Status:
    """Return the status that a delivery shows."""
    return STATUSES[_code(row)]


def _code(row: Delivery) -> str:
    if row.state in (DeliveryState.WAITING, DeliveryState.READY, DeliveryState.LEASED):
        if row.lease_token is not None:
            return "progress"
        return "retrying" if row.attempts and row.error_code else "waiting"
    if row.state == DeliveryState.DEAD:
        if row.category == Category.UNCERTAIN:
            return "uncertain"
        return "extraction" if row.error_code in EXTRACTION else "failed"
    if row.state == DeliveryState.DELIVERED:
        return "partial" if row.partial else "success"
    return str(row.state)
