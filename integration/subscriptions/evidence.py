"""A subscription as a consent in the ledger: once the address is known to be theirs, where that is asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.mapping import consent
from integration.mapping.consent import Consent
from integration.models.subscription import Subscription
from integration.pipeline.consents import ledger


def keep(session: Session, now: datetime, row: Subscription) -> None:
    """Keep what somebody agreed to in the form, with its wording and from where it was sent."""
    told = ", ".join(part for part in (row.page, row.ip) if part)
    said = Consent(consent.GIVEN, consent.FORM, str(row.id), row.created_at, row.email, "", told, row.consent_text)
    ledger.add(session, now, row.connector_id, [(row.person_key, said)])


def forget(session: Session, row: Subscription) -> None:
    """Delete it with its subscription."""
    ledger.forget(session, row.connector_id, consent.FORM, str(row.id))
