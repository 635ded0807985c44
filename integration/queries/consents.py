"""What pages read of the consent ledger: its words, a list of it, and where a person stands by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.mapping import consent
from integration.models.consent import ConsentEntry
from integration.models.database import Database
from integration.pipeline.consents.ledger import WAITING, WRITTEN
from integration.queries import person_lists
from integration.queries.person_lists import PersonQuery
from integration.url_filters import OneOf

#: State -> its word and the colour of its badge.
STATES: Mapping[str, tuple[str, str]] = {
    consent.GIVEN: ("Consent given", "ok"),
    consent.WITHDRAWN: ("Consent withdrawn", "warn"),
    consent.UNSUBSCRIBED: ("Unsubscribed", "warn"),
    consent.BOUNCED: ("Bounced", "warn"),
    consent.BY_HAND: ("Do Not Contact by hand", "muted"),
}
SOURCES: Mapping[str, str] = {
    consent.CUSTOMER: "Customer account",
    consent.ORDER: "Order",
    consent.CART: "Abandoned cart",
    consent.FORM: "Subscribe form",
    consent.MAUTIC: "Mautic",
}
#: What became of an unsubscribe or bounce that is to be written into the store -> its words; else it is why not.
WRITE_BACK: Mapping[str, str] = {WAITING: "is written into the store next", WRITTEN: "is in the store"}
#: What a table of entries says, by the entry's attribute.
WORDS: Mapping[str, Mapping[str, Any]] = {"state": STATES, "source": SOURCES, "write_back": WRITE_BACK}
#: So many of a person's newest entries are shown with the person.
OF_PERSON_MAX = 10


class ConsentQuery(PersonQuery):
    """Which entries of the ledger a list shows."""

    state: Annotated[str, OneOf(tuple(STATES))] = ""


def of_person(session: Session, connector_id: int, person_key: str) -> Sequence[ConsentEntry]:
    """Return a person's newest entries, newest first."""
    mine = (ConsentEntry.connector_id == connector_id) & (ConsentEntry.person_key == person_key)
    query = select(ConsentEntry).where(mine).order_by(ConsentEntry.id.desc()).limit(OF_PERSON_MAX)
    return session.scalars(query).all() if person_key else ()


def barred(entries: Sequence[ConsentEntry]) -> ConsentEntry | None:
    """Return the newest word of Mautic among a person's entries, newest first, None where it has said nothing."""
    return next((row for row in entries if row.source == consent.MAUTIC), None)


def walk(db: Database, query: ConsentQuery, size: int = 500) -> Iterator[Sequence[ConsentEntry]]:
    """Yield all entries of a query, newest first, each slice in a read of its own so that no lock is held long."""
    query = query.model_copy(update={"before": 0})
    while True:
        with db.read() as session:
            rows = person_lists.rows_of(session, ConsentEntry, query, size)
        if not rows:
            return
        yield rows
        query = query.model_copy(update={"before": rows[-1].id})
