"""Reads back from Mautic who unsubscribed or bounced (X10): into the ledger, the log and, if wished, the store.

What we have set ourselves is not read as somebody's own word. Only people of this shop are looked at: a contact counts
as one of them by its link and its address together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.mapping import consent
from integration.mapping.consent import Consent
from integration.mautic import reading, unsubscribes
from integration.mautic.client import MauticClient
from integration.mautic.do_not_contact import BOUNCED, CHANNEL, UNSUBSCRIBED, Barred
from integration.mautic.search import email_of
from integration.mautic.unsubscribes import Unsubscribe
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.former_address import FormerAddress
from integration.pipeline.consents import ledger
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing
from integration.pipeline.sync_log.writing import Entry
from integration.settings import ConsentModule
from integration.streams import contacts as contacts_stream

#: Where a connector keeps how far it has read, among its cursors.
CURSOR = "do_not_contact"
#: So often everything is read, for what a date does not tell; and so long a refusal is taken for an answer.
WHOLE_EVERY = timedelta(days=1)
#: A search goes through everybody who is on it.
SEARCH_EVERY = timedelta(hours=1)
#: So many calls one turn makes at most; a first reading of more goes on with the next.
PAGES_A_TURN = 20
#: Entries of the last seconds are read once more: one may be written after a later one was read.
OVERLAP = timedelta(minutes=2)
STATES = {UNSUBSCRIBED: consent.UNSUBSCRIBED, BOUNCED: consent.BOUNCED}
#: What is written into the store; who was put there by hand in Mautic has said nothing.
WRITTEN_BACK = (consent.UNSUBSCRIBED, consent.BOUNCED)
_SENTENCES = {
    consent.UNSUBSCRIBED: "The person unsubscribed in Mautic",
    consent.BOUNCED: "An e-mail of Mautic to the person bounced",
    consent.BY_HAND: "Somebody put the contact on Do Not Contact in Mautic",
}


def state_of(barred: Barred) -> str:
    """Return what an entry that is not ours stands for."""
    return STATES.get(barred.reason, consent.BY_HAND)


@dataclass(frozen=True, slots=True)
class Place:
    """How far Mautic was read: everything that it dates before `since`, and when the last whole reading was begun.

    A reading that is under way stands behind the id `after`, is `whole` or not, and has met `newest`; `searched` says
    that Mautic refuses its statistics and was searched. `problem` is why nothing can be read, `looked_at` when it was
    tried last.
    """

    since: datetime | None = None
    whole_at: datetime | None = None
    looked_at: datetime | None = None
    newest: datetime | None = None
    after: int = 0
    whole: bool = False
    searched: bool = False
    problem: str = ""

    @classmethod
    def of(cls, connector: Connector) -> Place:
        """Return the place of a connector; one that cannot be read is the beginning."""
        kept = connector.cursors.get(CURSOR)
        kept = kept if isinstance(kept, Mapping) else {}
        moments = {name: _moment(kept.get(name)) for name in _MOMENTS}
        after = kept.get("after")
        return cls(
            **moments,
            after=after if isinstance(after, int) else 0,
            whole=kept.get("whole") is True,
            searched=kept.get("searched") is True,
            problem=str(kept.get("problem") or ""),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as a cursor is kept."""
        moments = {name: at.isoformat() for name in _MOMENTS if (at := getattr(self, name)) is not None}
        return {**moments, "after": self.after, "whole": self.whole, "searched": self.searched, "problem": self.problem}

    def waits(self, now: datetime) -> bool:
        """Tell whether nothing is to be read yet: after a refusal, and after a search, which goes through all."""
        if self.looked_at is None or self.after:
            return False
        pause = WHOLE_EVERY if self.problem else SEARCH_EVERY if self.searched else timedelta(0)
        return timedelta(0) <= now - self.looked_at < pause

    def begun(self, now: datetime) -> Place:
        """Return the place of a reading that begins, or goes on, now."""
        if self.after:
            return self
        whole = self.since is None or self.whole_at is None or abs(now - self.whole_at) >= WHOLE_EVERY
        return replace(self, whole=whole, newest=self.since, whole_at=now if whole else self.whole_at)

    def behind(self, page: unsubscribes.Page, now: datetime) -> Place:
        """Return the place behind a page; at the end of all, what is newer is asked for next time."""
        newest = max((at for at in (self.newest, *(one.at for one in page.entries)) if at is not None), default=None)
        after, since = (page.last, self.since) if page.more else (0, newest)
        moved = replace(self, newest=newest, after=after, since=since)
        return replace(moved, searched=page.searched, problem="", looked_at=now)


_MOMENTS = ("since", "whole_at", "looked_at", "newest")


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def read(services: Services, connector: Connector) -> int:
    """Take what is new in Mautic and return how many people it is about; raises ServiceError when Mautic fails.

    At most PAGES_A_TURN pages are read, and the next turn goes on behind them. A Mautic that does not let us know is
    asked again tomorrow, and the page says why.
    """
    now, place = services.clock.now(), Place.of(connector)
    if place.waits(now):
        return 0
    client, place, taken = services.open_mautic(connector, obeys=True), place.begun(now), 0
    for _ in range(PAGES_A_TURN):
        since = None if place.whole or place.since is None else place.since - OVERLAP
        try:
            page = unsubscribes.read(client, since, place.after, searched=place.searched)
        except unsubscribes.Refused as refused:
            _keep(services, connector.id, replace(place, after=0, problem=str(refused.error), looked_at=now))
            return taken
        taken += _take(services, connector, client, page.entries)
        place = place.behind(page, now)
        _keep(services, connector.id, place)
        if not page.more:
            break
    return taken


def _keep(services: Services, connector_id: int, place: Place) -> None:
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.cursors = {**row.cursors, CURSOR: place.to_json()}


def _take(services: Services, connector: Connector, client: MauticClient, page: Sequence[Unsubscribe]) -> int:
    """Write down what a page has of this shop's people that was not known; return how many that are."""
    told = {one.contact_id: one for one in page if not one.barred.is_ours()}
    if not told:
        return 0
    with services.db.read() as session:
        people = _people(session, connector.id, told)
        known = ledger.known(session, connector.id, people.values())
    new = {number: told[number] for number, key in people.items() if _is_new(told[number], known.get(key, ()))}
    emails = {number: one.email for number, one in new.items() if one.email}
    shown = reading.by_ids(client, new.keys() - emails.keys()) if new.keys() - emails.keys() else {}
    emails |= {number: email_of(contact) for number, contact in shown.items()}
    module, now = services.modules(connector).consent, services.clock.now()
    with services.db.write() as session:
        own = _own(session, connector.id, {people[number]: emails.get(number, "") for number in new})
        rows = [
            (people[number], _said(one, emails[number], now)) for number, one in new.items() if people[number] in own
        ]
        keep(session, now, connector.id, module, rows)
    return len(rows)


def keep(
    session: Session,
    now: datetime,
    connector_id: int,
    module: ConsentModule,
    rows: Collection[tuple[str, Consent]],
) -> None:
    """Write down what Mautic has told of people, in the ledger and the log, in the caller's transaction."""
    for state in sorted({each.state for _, each in rows}):
        waits = ledger.WAITING if module.write_back and state in WRITTEN_BACK else ""
        ledger.add(session, now, connector_id, [row for row in rows if row[1].state == state], waits)
    writing.record(session, [_entry(now, connector_id, person_key, each) for person_key, each in rows])


def _people(session: Session, connector_id: int, ids: Collection[int]) -> dict[int, str]:
    """Return contact id -> person key of the contacts that are linked to somebody of the shop."""
    query = select(ContactLink.contact_id, ContactLink.person_key).where(
        ContactLink.connector_id == connector_id, ContactLink.contact_id.in_(sorted(ids))
    )
    return dict(session.execute(query).tuples().all())


def _own(session: Session, connector_id: int, emails: Mapping[str, str]) -> set[str]:
    """Return the people whose contact has their address still, or one that their account has left."""
    mine = (FormerAddress.connector_id == connector_id) & FormerAddress.now_key.in_(sorted(emails))
    former = set(session.execute(select(FormerAddress.now_key, FormerAddress.person_key).where(mine)).tuples())
    seen = {key: person_key_of(email) for key, email in emails.items() if email}
    return {key for key, there in seen.items() if there == key or (key, there) in former}


def _is_new(one: Unsubscribe, known: Sequence[Consent]) -> bool:
    return is_news(state_of(one.barred), known)


def is_news(state: str, known: Sequence[Consent]) -> bool:
    """Tell whether what Mautic says of a person is another thing than it said last."""
    last = next((each for each in reversed(known) if each.source == consent.MAUTIC), None)
    return last is None or last.state != state


def said_of(barred: Barred, contact_id: int, email: str, at: datetime) -> Consent:
    """Return the entry of the ledger for an entry of Mautic's that is not ours."""
    return Consent(state_of(barred), consent.MAUTIC, str(contact_id), at, email, CHANNEL, barred.comment[:200])


def _said(one: Unsubscribe, email: str, now: datetime) -> Consent:
    return said_of(one.barred, one.contact_id, email, one.at or now)


def _entry(now: datetime, connector_id: int, person_key: str, said: Consent) -> Entry:
    remark = f": {said.value}" if said.value else ""
    return Entry(
        connector_id=connector_id,
        at=now,
        type=contacts_stream.KIND,
        object_id=f"contact {said.ref}",
        action=said.state if said.state in WRITTEN_BACK else "do_not_contact",
        message=f"{_SENTENCES[said.state]}{remark}.".replace("..", "."),
        contact_id=int(said.ref),
        person_key=person_key,
    )
