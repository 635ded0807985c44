"""The state of a connector in a word and a sentence: the gravest of its symptoms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from integration.models.connector import Connector, ConnectorState
from integration.operations.monitoring.health import facts
from integration.operations.monitoring.health.facts import Facts
from integration.operations.monitoring.health.symptoms import Symptom, symptoms
from integration.pipeline import outbox
from integration.pipeline.connectors import fingerprint, verified
from integration.settings import Modules

#: Code -> its label and the kind of its badge.
CODES: Mapping[str, tuple[str, str]] = {
    "not_set_up": ("Not set up", "muted"),
    "paused": ("Paused", "warn"),
    "read_only": ("Read-only", "bad"),
    "held": ("Held", "bad"),
    "failing": ("Failing", "bad"),
    "delayed": ("Delayed", "warn"),
    "untested": ("Not tested yet", "muted"),
    "on_time": ("On time", "ok"),
}
_LEADS = {"held_mautic": "Sending to Mautic is on hold: ", "held_store": "Reading the store is on hold: "}


@dataclass(frozen=True, slots=True)
class Health:
    """How a connector fares: `code` is one of CODES, `lag_seconds` the age of the oldest live work that waits."""

    code: str
    sentence: str
    hint: str = ""
    since: datetime | None = None
    next_probe: datetime | None = None
    lag_seconds: int = 0

    @property
    def label(self) -> str:
        """Return the word for people."""
        return CODES[self.code][0]

    @property
    def kind(self) -> str:
        """Return the kind of its badge: ok, warn, bad or muted."""
        return CODES[self.code][1]


def of(
    session: Session, now: datetime, connector: Connector, *, connected: bool = True, known: Facts | None = None
) -> Health:
    """Return how a connector fares; `connected` says whether both systems have their credentials.

    `known` are its facts, for who has asked for those of many connectors at once.
    """
    if not connected or not (connector.store_url and connector.mautic_url):
        return Health("not_set_up", "The store or Mautic is not connected yet.", "Connect both.")
    known = known or facts.of(session, now, connector.id)
    lag = known.lag_s
    if connector.state == ConnectorState.PAUSED:
        return _paused(session, connector, lag)
    if connector.state == ConnectorState.READ_ONLY:
        since = datetime.fromisoformat(fingerprint.doubt(connector)["at"])
        return Health("read_only", fingerprint.sentence(connector), fingerprint.HINT, since, lag_seconds=lag)
    settings = Modules.from_json(connector.settings)
    gravest = next(symptoms(session, now, connector, settings, known), None)
    if gravest is None and not (verified.store_works(connector) or verified.mautic_works(connector)):
        sentence = "Neither the store nor Mautic has answered yet."
        return Health("untested", sentence, "Test the connection.", lag_seconds=lag)
    if gravest is None:
        return Health("on_time", "Changes reach Mautic in time.", lag_seconds=lag)
    return _told(gravest, lag)


def _told(symptom: Symptom, lag: int) -> Health:
    sentence = _LEADS.get(symptom.cause, "") + symptom.sentence
    return Health(symptom.state, sentence, symptom.hint, symptom.since, symptom.next_probe, lag)


def _paused(session: Session, connector: Connector, lag: int) -> Health:
    waiting = outbox.open_count(session, connector_id=connector.id)
    sentence = f"The connector is paused; {waiting:,} records wait." if waiting else "The connector is paused."
    hint = "Webhooks are accepted and wait, runs by hand work. Resume it to send what waits."
    return Health("paused", sentence, hint, lag_seconds=lag)
