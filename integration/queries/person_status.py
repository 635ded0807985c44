"""Where a person or an order stands: in Mautic, on the way, skipped, failed or never seen, and what to do (X5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integration import streams
from integration.mapping import consent
from integration.models.connector import Connector, ConnectorState
from integration.models.consent import ConsentEntry
from integration.models.contact_link import ContactLink
from integration.models.delivery import OPEN, Delivery, DeliveryState
from integration.models.hold import Hold
from integration.models.ledger import LedgerEntry
from integration.pipeline.connectors import fingerprint
from integration.pipeline.delivery.retries import fault_of
from integration.pipeline.ingest.order_ledger import GONE
from integration.settings import Modules
from integration.streams import Explanation, explain, orders as orders_stream

Said = str | datetime


@dataclass(frozen=True, slots=True)
class PersonStatus:
    """One sentence on where something stands: texts and moments in turn, so that a page can show the moments its way.

    `code` is in_mautic, waiting, failed, skipped, conflict, discarded, not_sent, unknown, or what Mautic told of its
    e-mails: unsubscribed, bounced, by_hand; `kind` the colour of its notice; `reason` says why and where that is
    changed.
    """

    code: str
    kind: str
    said: tuple[Said, ...]
    reason: Explanation | None = None
    delivery_id: int | None = None
    contact_id: int | None = None

    @property
    def text(self) -> str:
        """Return the sentence with its moments in ISO form."""
        return "".join(part if isinstance(part, str) else part.isoformat() for part in self.said)


@dataclass(frozen=True)
class Known:
    """All that a verdict rests on; `records` are the newest deliveries, `entries` the rows of the order ledger."""

    connector: Connector
    now: datetime
    link: ContactLink | None
    records: Sequence[Delivery]
    entries: Sequence[LedgerEntry]
    holds: Sequence[Hold]

    @property
    def open(self) -> Delivery | None:
        """Return what is on its way: the record that goes first."""
        rows = [row for row in self.records if row.state in OPEN]
        return min(rows, key=lambda row: (row.state == DeliveryState.WAITING, row.id)) if rows else None

    @property
    def settled(self) -> Delivery | None:
        """Return the record that ended last."""
        # What is closed is told by the delivery that stands for it.
        over = (*OPEN, DeliveryState.CLOSED)
        rows = [row for row in self.records if row.settled_at is not None and row.state not in over]
        return max(rows, key=lambda row: (row.settled_at or self.now, row.id)) if rows else None

    @property
    def dead(self) -> Delivery | None:
        """Return the newest dead letter."""
        return next((row for row in self.records if row.state == DeliveryState.DEAD), None)


def of_person(known: Known) -> list[PersonStatus]:
    """Return where a person stands, the most important first; at least one verdict."""
    found = [*_linked(known), *_open(known), *_dead(known)]
    settled = known.settled
    if settled is not None and settled.state != DeliveryState.DEAD and (not found or _tells_more(settled)):
        found.append(_ended(settled, None))
    return found or [_unsent(known) or _unknown(known, "person")]


def of_order(known: Known) -> list[PersonStatus]:
    """Return where an order stands, the most important first; at least one verdict."""
    found = list(_open(known))
    settled = known.settled
    if settled is not None:
        found += _dead(known) if settled.state == DeliveryState.DEAD else [_ended(settled, known.link)]
    return found or [_unsent(known) or _unknown(known, "order")]


def of_mautics_word(said: ConsentEntry | None) -> list[PersonStatus]:
    """Return that a person unsubscribed, bounced or was barred in Mautic, nothing where it has said none of these."""
    if said is None:
        return []
    words = {
        consent.UNSUBSCRIBED: "The person unsubscribed in Mautic ",
        consent.BOUNCED: "An e-mail of Mautic to the person bounced ",
    }
    what = words.get(said.state, "Somebody put the contact on Do Not Contact in Mautic ")
    told: tuple[Said, ...] = (what, said.said_at, ". No sync changes that.")
    return [PersonStatus(said.state, "warn", told, contact_id=int(said.ref) if said.ref.isdigit() else None)]


def _tells_more(row: Delivery) -> bool:
    return row.state == DeliveryState.SKIPPED and row.error_code != "unchanged"


def _linked(known: Known) -> Iterator[PersonStatus]:
    link = known.link
    if link is not None:
        said = (f"This person is in Mautic as contact {link.contact_id}, last written ", link.written_at, ".")
        yield PersonStatus("in_mautic", "ok", said, contact_id=link.contact_id)


def _open(known: Known) -> Iterator[PersonStatus]:
    row = known.open
    if row is not None:
        yield PersonStatus("waiting", "info", _waits(known, row), delivery_id=row.id)


def _waits(known: Known, row: Delivery) -> tuple[Said, ...]:
    hold = next((hold for hold in known.holds if hold.service == "mautic"), None)
    if row.lease_token is not None:
        return ("On its way: it is being sent to Mautic now.",)
    if hold is not None:
        why = f": {hold.sentence} {hold.hint}".rstrip()
        return ("Waiting: Mautic is on hold since ", hold.since, f"{why} It is sent by itself when Mautic works again.")
    if known.connector.state == ConnectorState.READ_ONLY:
        return (f"Waiting: the connector is read-only. {fingerprint.sentence(known.connector)} {fingerprint.HINT}",)
    if known.connector.state == ConnectorState.PAUSED:
        return ("Waiting: the connector is paused. Resume it on the Overview page.",)
    if not known.connector.mautic_url:
        return ("Waiting: no Mautic is connected yet. Connect it under Connection.",)
    if row.attempts and row.error_code:
        return (
            f"Waiting: attempt {row.attempts} did not work ({row.error.rstrip('.')}). Next attempt ",
            row.due_at,
            ".",
        )
    if row.due_at > known.now:
        return ("Waiting: it is sent ", row.due_at, ".")
    return ("Waiting: it is sent as soon as its turn comes.",)


def _dead(known: Known) -> list[PersonStatus]:
    row = known.dead
    if row is None:
        return []
    what = f"{_noun(row)} could not be sent: {row.error.rstrip('.')}. {fault_of(row.category)}".rstrip()
    often = f" It failed {row.failures} times." if row.failures > 1 else ""
    said = (
        f"Failed: {what}{often} Given up ",
        row.settled_at or row.died_at or row.created_at,
        "; send it again or discard it.",
    )
    return [PersonStatus("failed", "bad", said, delivery_id=row.id)]


def _ended(row: Delivery, link: ContactLink | None) -> PersonStatus:
    at = row.settled_at or row.created_at
    unchanged = row.state == DeliveryState.SKIPPED and row.error_code == "unchanged"
    if row.state == DeliveryState.DELIVERED or unchanged:
        return _written(row, at, link)
    if row.state == DeliveryState.SKIPPED:
        return _skipped(row)
    if row.state == DeliveryState.CONFLICT:
        said: tuple[Said, ...] = ("Conflict ", at, f": somebody changed the contact in Mautic. {row.error}".rstrip())
        return PersonStatus("conflict", "warn", said, delivery_id=row.id, contact_id=row.contact_id)
    why = row.discard_reason or "its run was cancelled"
    said = (f"Discarded: {_noun(row)} was given up ", at, f" ({why}). Read it from the store again to send it.")
    return PersonStatus("discarded", "warn", said, delivery_id=row.id)


def _written(row: Delivery, at: datetime, link: ContactLink | None) -> PersonStatus:
    contact_id = row.contact_id or (link.contact_id if link else None)
    where = f"in Mautic as contact {contact_id}" if contact_id else "in Mautic"
    verb = "nothing had changed when it was looked at " if row.state == DeliveryState.SKIPPED else "last written "
    partial = f" But not all of it: {row.error}" if row.partial else ""
    said = (f"{_noun(row)} is {where}, {verb}", at, f".{partial}")
    return PersonStatus("in_mautic", "warn" if partial else "ok", said, delivery_id=row.id, contact_id=contact_id)


def _skipped(row: Delivery) -> PersonStatus:
    reason = explain(row.error_code, row.kind)
    if row.error_code == "no_email":
        who = streams.labels(row.kind).noun.lower()
        said: tuple[Said, ...] = (f"Not in Mautic: the {who} has no e-mail address.",)
    else:
        said = (f"Skipped: {row.error or reason.sentence}",)
    return PersonStatus("skipped", "warn", said, reason, row.id)


def _unsent(known: Known) -> PersonStatus | None:
    """Return why orders that were only added up were not sent, None when there are none."""
    if not known.entries:
        return None
    statuses = sorted({entry.status for entry in known.entries})
    synced = Modules.from_json(known.connector.settings).orders
    if all(status == GONE for status in statuses):
        return PersonStatus(
            "not_sent",
            "warn",
            ("Not in Mautic: the order is in the store's trash.",),
            _of_order("removed"),
        )
    listed = "”, “".join(status for status in statuses if status != GONE)
    if not synced.enabled:
        return PersonStatus(
            "not_sent",
            "warn",
            ("Not in Mautic: Order Sync is switched off.",),
            _of_order("module_off"),
        )
    if not set(statuses) & set(synced.statuses):
        said = (f"Not in Mautic: orders with the status “{listed}” are not synced.",)
        return PersonStatus("not_sent", "warn", said, _of_order("status_not_synced"))
    if known.link is not None:
        said = (
            f"Its person is in Mautic as contact {known.link.contact_id}, but no record of this order is kept: it was "
            f"sent longer ago than records are kept, or it was only added up for the lifetime values.",
        )
        return PersonStatus("in_mautic", "ok", said, contact_id=known.link.contact_id)
    return PersonStatus("not_sent", "warn", ("Not in Mautic: the order is known, but it was never sent.",))


def _of_order(code: str) -> Explanation:
    return explain(code, orders_stream.KIND)


def _unknown(known: Known, what: str) -> PersonStatus:
    hold = next((hold for hold in known.holds if hold.service == "store"), None)
    if hold is not None:
        said: tuple[Said, ...] = (
            "Unknown: never seen. Reading the store is on hold since ",
            hold.since,
            f": {hold.sentence}",
        )
    else:
        said = (f"Unknown: this {what} was never seen; the store has not sent it.",)
    return PersonStatus("unknown", "warn", said)


def _noun(row: Delivery) -> str:
    """Return what a record is called in a sentence."""
    return f"{streams.labels(row.kind).noun} {row.number or row.source_id}"
