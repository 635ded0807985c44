"""Keeps what a batch has told of consent: the shop's records by their word, and Mautic by the contacts it answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from integration.mapping.consent import Consent
from integration.mautic import do_not_contact
from integration.mautic.do_not_contact import Barred
from integration.mautic.search import email_of
from integration.models.connector import Connector
from integration.pipeline.consents import ledger, unsubscribes
from integration.pipeline.delivery.batch_result import Sent
from integration.settings import Modules


def mark(session: Session, now: datetime, connector_id: int, sent: Sent) -> None:
    """Keep it in the caller's transaction, whatever became of the deliveries."""
    ledger.add(
        session, now, connector_id, [(one.group.person_key, each) for one in sent.planned for each in one.consents]
    )
    told = {person_key: (number, email, barred) for person_key, number, email, barred in _barred(sent)}
    if not told:
        return
    module = Modules.from_json(session.get_one(Connector, connector_id).settings).consent
    if not module.reads_back:
        return
    known = ledger.known(session, connector_id, told)
    news: list[tuple[str, Consent]] = [
        (person_key, unsubscribes.said_of(barred, number, email, now))
        for person_key, (number, email, barred) in told.items()
        if unsubscribes.is_news(unsubscribes.state_of(barred), known.get(person_key, ()))
    ]
    unsubscribes.keep(session, now, connector_id, module, news)


def _barred(sent: Sent) -> Iterator[tuple[str, int, str, Barred]]:
    """Yield person key, contact, address and entry of those whom Mautic's answers show on Do Not Contact, not by us."""
    for person_key, receipt in sent.receipts.items():
        there = do_not_contact.of_contact(receipt.answered)
        if there is not None and not there.is_ours() and receipt.error is None and receipt.mautic_id is not None:
            yield person_key, receipt.mautic_id, email_of(receipt.answered), there
