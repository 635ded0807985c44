"""What a batch needs to know, read in one short transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration.events import Kind
from integration.identity import normalise_email
from integration.mapping import lifetime
from integration.mapping.consent import Consent
from integration.mapping.orders import DRAFTS, Shop, sells
from integration.mautic.same_value import plain
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.former_address import FormerAddress
from integration.models.membership import among
from integration.models.sql import upsert
from integration.pipeline.connectors import store_profile
from integration.pipeline.consents import gate, ledger
from integration.pipeline.ingest import blocked
from integration.pipeline.ingest.buyers import People, is_there
from integration.pipeline.ingest.known_order import KnownOrder
from integration.pipeline.ingest.recurring_orders import OfPeople
from integration.plans import ContactWrite, DoNotContact, MauticField
from integration.records import Order
from integration.settings import Modules
from integration.streams import orders

#: Begins, after the dot, those keys of the hashes that are not fields: which order gave a part of the contact.
NOTE = "#"

#: Where a connector keeps, among the facts of its Mautic, the lengths of fields that refusals have told.
LIMITS = "limits"
#: A contact that was confirmed within this time was seen to be the person; an older one is looked at before a write.
FRESH = timedelta(hours=1)
#: The records of one person, and of one town, say the same; longer texts are rarely met twice.
_TEXTS_KEPT, _TEXT_KEPT_CHARS = 4096, 60


_MOVED = select(FormerAddress.now_key, FormerAddress.person_key, FormerAddress.email).where(
    FormerAddress.connector_id == bindparam("connector_id"), among(FormerAddress.now_key, bindparam("person_keys"))
)
_LINKS = select(ContactLink.person_key, ContactLink.contact_id, ContactLink.fields, ContactLink.written_at).where(
    ContactLink.connector_id == bindparam("connector_id"), among(ContactLink.person_key, bindparam("person_keys"))
)

#: Person key of today -> former person key -> address of today.
Moved = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Linked:
    """A person's Mautic contact and the hashes of what Mautic last confirmed.

    `former` are the keys of addresses that the person's account has left; the contact may still have one of them.
    """

    contact_id: int
    hashes: Mapping[str, str]
    written_at: datetime | None = None
    former: frozenset[str] = frozenset()

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether Mautic confirmed this person's contact so lately that it needs not be looked at again."""
        return self.written_at is not None and timedelta(0) <= now - self.written_at < FRESH


@dataclass(frozen=True, slots=True)
class BatchContext:
    """The settings, fields, links and ledger rows that the deliveries of one batch are planned with.

    `resend` are the runs that send what has not changed too. `latest` holds orders of the store by id, read because
    they become a person's latest one. `moved` tells who has left an address, `blocked` of whom nothing is sent.
    `categories` are the slugs of products by id, as far as they are known; `recurring` the people's subscriptions in
    the store, None where they are not synced; `consents` what the ledger has of them where consent is asked for.
    """

    connector: Connector
    modules: Modules
    fields: Mapping[str, MauticField]
    links: Mapping[str, Linked]
    people: People
    resend: frozenset[int] = frozenset()
    latest: Mapping[int, Order] = field(default_factory=dict)
    moved: Moved = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    categories: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    recurring: OfPeople | None = None
    consents: Mapping[str, Sequence[Consent]] = field(default_factory=dict)

    def synced(self, row: KnownOrder) -> bool:
        """Return whether an order is synced by the settings as they are now; unknown SKUs pass every filter."""
        return row.status in self.modules.orders.statuses and self._sells(row)

    def placed(self, row: KnownOrder) -> bool:
        """Return whether an order was placed, whatever became of it, so that it tells name and address."""
        return is_there(row) and row.status not in DRAFTS and self._sells(row)

    def _sells(self, row: KnownOrder) -> bool:
        wanted = self.modules.orders.sku_filter
        products = row.products if wanted else None
        return products is None or sells([str(sku) for _, sku, _ in products], wanted)

    @property
    def sum_aliases(self) -> frozenset[str]:
        """Return the aliases of the fields that lifetime values are written to, as Mautic has them."""
        return lifetime.held_by(self.modules, self.fields)

    @property
    def currency(self) -> str:
        """Return the shop's currency, "" while it is not known."""
        return str(self.connector.store_facts.get("currency") or "")

    @property
    def shop(self) -> Shop:
        """Return what else the store tells of itself that a mapping needs."""
        return store_profile.shop(self.connector.store_facts)


def lay(
    session: Session,
    connector: Connector,
    person_keys: Iterable[str],
    resend: frozenset[int] = frozenset(),
    modules: Modules | None = None,
) -> BatchContext:
    """Return the batch context for some people; `resend` are the runs that send what has not changed too.

    `modules` are the connector's settings where the caller has parsed them.
    """
    wanted = sorted(set(person_keys))
    fields = _with_limits(fields_from_json(connector.fields), connector.mautic_facts.get(LIMITS) or {})
    moved = _moved(session, connector.id, wanted)
    modules = modules or Modules.from_json(connector.settings)
    return BatchContext(
        connector=connector,
        modules=modules,
        fields=fields,
        links=_links(session, connector.id, wanted, fields, moved),
        people=People(session, connector.id, wanted),
        resend=resend,
        moved=moved,
        blocked=blocked.among(session, connector.id, wanted),
        recurring=OfPeople(session, connector.id, wanted) if modules.orders.subscriptions else None,
        consents=ledger.known(session, connector.id, wanted) if modules.consent.enabled else {},
    )


def _moved(session: Session, connector_id: int, person_keys: Sequence[str]) -> Moved:
    found: dict[str, dict[str, str]] = {}
    values = {"connector_id": connector_id, "person_keys": person_keys}
    for now_key, former, email in session.execute(_MOVED, values).tuples():
        found.setdefault(now_key, {})[former] = email
    return found


def _with_limits(fields: Mapping[str, MauticField], learned: Mapping[str, Any]) -> dict[str, MauticField]:
    """Return the fields with the lengths that Mautic's refusals have taught, where it tells none itself."""
    known = {alias: one["max"] for alias, one in learned.items() if alias in fields and fields[alias].limit is None}
    return {**fields, **{alias: replace(fields[alias], limit=most) for alias, most in known.items()}}


def _links(
    session: Session, connector_id: int, person_keys: Sequence[str], fields: Mapping[str, MauticField], moved: Moved
) -> dict[str, Linked]:
    values = {"connector_id": connector_id, "person_keys": person_keys}
    since = {alias: datetime.fromisoformat(field.since) for alias, field in fields.items() if field.since}
    return {
        person_key: Linked(
            contact_id,
            _still_held(known or {}, written_at, fields, since),
            written_at,
            frozenset(moved.get(person_key, ())),
        )
        for person_key, contact_id, known, written_at in session.execute(_LINKS, values).tuples()
    }


def _still_held(
    known: Mapping[str, str], written_at: datetime, fields: Mapping[str, MauticField], since: Mapping[str, datetime]
) -> Mapping[str, str]:
    """Leave out the values of fields that Mautic no longer has, or has made anew `since`: they are gone there."""
    gone = {alias for alias, made_at in since.items() if written_at < made_at}
    return {key: value for key, value in known.items() if not _is_lost(key.partition(".")[2], fields, gone)}


def _is_lost(alias: str, fields: Mapping[str, MauticField], gone: Collection[str]) -> bool:
    other = not fields or alias in ("", "email") or alias.startswith(("tag:", NOTE))
    return not other and (alias not in fields or alias in gone)


def fields_from_json(stored: Sequence[Mapping[str, Any]]) -> dict[str, MauticField]:
    """Return alias -> field from a connector's cached list."""
    rows = [dict(row) | {"choices": tuple(row.get("choices") or ())} for row in stored]
    return {row["alias"]: MauticField(**row) for row in rows}


def fields_to_json(fields: Mapping[str, MauticField]) -> list[dict[str, Any]]:
    """Return the list as it is cached with the connector."""
    return [asdict(field) for field in fields.values()]


def hashes(
    source: str, write: ContactWrite, adders: Mapping[str, str] | None = None, of_orders: Collection[str] = ()
) -> dict[str, str]:
    """Return "source.alias" -> short hash of each value, "source.tag:x" -> "-", or "+" and the order that adds it.

    They are kept for each source apart: a profile and an order of one person may differ for ever, and what neither has
    changed must not be written to and fro. The aliases `of_orders` are the orders', whichever record writes them. Of
    the address it is the mailbox that counts, not how it is spelled.
    """
    values = {alias: fingerprint(value) for alias, value in write.fields.items()}
    by = adders or {}
    tags = {f"tag:{tag.removeprefix('-')}": "-" if tag.startswith("-") else f"+{by.get(tag, '')}" for tag in write.tags}
    address = {"email": fingerprint(normalise_email(write.email))} if write.email else {}
    barred = {} if write.do_not_contact is None else {gate.DNC_KEY: _barred(write.do_not_contact)}
    told = (values | address | tags).items()
    return {f"{orders.KIND if key in of_orders else source}.{key}": value for key, value in told} | barred


def _barred(wanted: DoNotContact) -> str:
    """Return how Do Not Contact is remembered; it is the person's, whichever kind of record says it."""
    return gate.SET if wanted.wanted else gate.CLEAR


def given_tags(link: Linked | None, kind: Kind = orders.KIND) -> frozenset[str]:
    """Return the tags that records of a kind have given the contact, as `hashes` remembers them."""
    begin = f"{kind}.tag:"
    known = link.hashes.items() if link else ()
    return frozenset(key.removeprefix(begin) for key, sign in known if key.startswith(begin) and sign[:1] == "+")


def unchanged(link: Linked | None, wanted: Mapping[str, str]) -> bool:
    """Return whether Mautic has confirmed all of this before; `wanted` is what `hashes` gave."""
    return link is not None and all(same(link.hashes.get(key), value) for key, value in wanted.items())


def same(confirmed: str | None, wanted: str) -> bool:
    """Return whether a value, or that a tag stands, was confirmed; which order added the tag makes no difference."""
    return confirmed == wanted or (wanted.startswith("+") and (confirmed or "").startswith("+"))


def fingerprint(value: object) -> str:
    """Return the short hash that a value is remembered by; texts that Mautic keeps alike have the same."""
    if isinstance(value, str):
        return _fingerprint_of_text(value) if len(value) <= _TEXT_KEPT_CHARS else _digest(plain(value))
    return _digest(value)


@lru_cache(maxsize=_TEXTS_KEPT)
def _fingerprint_of_text(text: str) -> str:
    return _digest(plain(text))


def _digest(kept: object) -> str:
    return hashlib.blake2b(repr(kept).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def save_links(session: Session, connector_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Write contact links; rows have person key, contact_id, fields (hashes) and written_at."""
    owned = [{"connector_id": connector_id, **row} for row in rows]
    upsert(session, ContactLink, owned, ("contact_id", "fields", "written_at"))
