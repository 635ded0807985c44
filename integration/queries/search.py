"""What a search finds: orders, people and runs, by indexes only, each look limited (issue 3, Search)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from integration import streams
from integration.identity import first_version_key, is_first_version_key_shared, person_key_of
from integration.models.attempt import Attempt
from integration.models.cart import Cart
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery
from integration.models.ledger import LedgerEntry
from integration.models.run import Run
from integration.models.sql import begins
from integration.models.sync_log import SyncLogEntry
from integration.pipeline.ingest import account_addresses
from integration.queries import runs
from integration.url_filters import CORRELATION, FILTER_MAX_CHARS, OneOf, Text, UrlFilter

SEARCHED_KINDS = ("order", "customer", "contact", "cart", "run", "email")
HITS_MAX = 50
#: Correlation ids have no index of their own; they are looked for among so many of a connector's newest runs, and of
#: its newest attempts.
RUNS_LOOKED_AT_MAX = ATTEMPTS_LOOKED_AT_MAX = 5000
#: So many of the newest orders show what a shop puts around its numbers.
_SHAPES = 20
_WORDED = re.compile(r"(order|customer|contact|cart|run)\s*[#:]?\s*(\S.*)", re.IGNORECASE)
#: The id that the calls of one batch carry, or enough of its beginning to tell it from those of other processes.
_BATCH = re.compile(r"[0-9a-f-]{8,36}")
_AROUND = re.compile(r"(\D*?)(\d+)(\D*)")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that fits. `what` is order, person, cart, run or record; `key` its source id, person key or id.

    `how` says what fitted: order number, order id, customer id, contact id, e-mail address, correlation id.
    """

    connector_id: int
    what: str
    key: str
    how: str
    name: str
    person_key: str = ""
    contact_id: int | None = None


class SearchQuery(UrlFilter):
    """A search as it was understood: `kind` is "", order, customer, contact, cart, run
    or email."""

    text: Text = ""
    kind: Annotated[str, OneOf(SEARCHED_KINDS)] = ""

    @classmethod
    def parse(cls, raw: str) -> SearchQuery:
        """Return what a person typed, without blanks, # and what no database holds."""
        text = re.sub("[\x00\ud800-\udfff]", "", raw).strip()[:FILTER_MAX_CHARS]
        worded = _WORDED.fullmatch(text)
        kind, text = (worded[1].lower(), worded[2]) if worded else ("", text)
        if not kind and "@" in text:
            return cls(text=text, kind="email")
        return cls(text=text.lstrip("#").strip(), kind=kind)

    @property
    def number(self) -> int | None:
        """Return the text as an id, None when it is none."""
        fits = self.text.isascii() and self.text.isdigit() and len(self.text) < 19
        return int(self.text) if fits else None

    def may_be(self, *kinds: str) -> bool:
        """Return whether the search may be about one of the kinds."""
        return not self.kind or self.kind in kinds


def find(session: Session, connector_ids: Sequence[int], asked: SearchQuery) -> list[Hit]:
    """Return what fits in some connectors, orders first: each order once, people once for each way they fit."""
    if not asked.text:
        return []
    found = [hit for key in connector_ids for look in _LOOKS for hit in look(session, key, asked)]
    for fallback in (_beginning, _batches):
        found = found or [hit for key in connector_ids for hit in fallback(session, key, asked)]
    unique = {(hit.connector_id, hit.what, hit.key, hit.what != "order" and hit.how): hit for hit in reversed(found)}
    order = {"order": 0, "person": 1, "cart": 2, "run": 3, "record": 4}
    hits = sorted(reversed(unique.values()), key=lambda hit: order[hit.what])[: HITS_MAX * 2]
    return _with_contacts(session, hits)


def one(hits: Sequence[Hit]) -> Hit | None:
    """Return the hit that all are about: the only one, or an order and its own person; None when there are several."""
    if len({(hit.what, hit.connector_id, hit.key) for hit in hits}) == 1:
        return hits[0]
    people = {(hit.connector_id, hit.person_key) for hit in hits}
    if len(people) != 1 or not hits[0].person_key:
        return None
    orders = {hit.key for hit in hits if hit.what == "order"}
    if len(orders) == 1:
        return next(hit for hit in hits if hit.what == "order")
    hit = hits[0]
    return replace(hit, what="person", key=hit.person_key)


def _orders(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    """Find orders by number, as it was typed and as the shop writes its numbers."""
    if asked.may_be("order"):
        rows = _by(session, connector_id, Delivery.number.in_(_spellings(session, connector_id, asked.text)))
        yield from _order_hits(connector_id, rows, "order number")


def _beginning(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    """Find some orders whose number begins with the text; unsorted in the database, since very many may."""
    if asked.may_be("order") and len(asked.text) > 1:
        query = select(Delivery).where(
            Delivery.connector_id == connector_id, begins(session, Delivery.number, asked.text)
        )
        rows = session.scalars(query.limit(HITS_MAX)).all()
        newest = sorted(rows, key=lambda row: row.id, reverse=True)
        yield from _order_hits(connector_id, newest, "beginning of the order number")


def _order_ids(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    number = asked.number
    if number is None or not asked.may_be("order"):
        return
    rows = _by(session, connector_id, Delivery.source_id == str(number))
    yield from _order_hits(connector_id, rows, "order id")
    entry = None if rows else session.get(LedgerEntry, (connector_id, number))
    if entry is not None:
        yield Hit(connector_id, "order", str(number), "order id", f"Order {number} ({entry.status})", entry.person_key)


def _by(session: Session, connector_id: int, condition: ColumnElement[bool]) -> Sequence[Delivery]:
    """Return the newest orders that fit; the kind is told apart here, or SQLite would walk through all orders."""
    query = select(Delivery).where(Delivery.connector_id == connector_id, condition)
    rows = session.scalars(query.order_by((Delivery.id + 0).desc()).limit(HITS_MAX))
    return [row for row in rows if row.kind in streams.kinds("numbered")]


def _order_hits(connector_id: int, rows: Iterable[Delivery], how: str) -> Iterator[Hit]:
    """Yield each order once, as its newest record has it; rows are newest first."""
    newest: dict[str, Delivery] = {}
    for row in rows:
        if row.event != "moved":
            newest.setdefault(row.source_id, row)
    for row in newest.values():
        name = f"Order {row.number or row.source_id} ({row.event})"
        yield Hit(connector_id, "order", row.source_id, how, name, row.person_key)


def _spellings(session: Session, connector_id: int, text: str) -> list[str]:
    """Return the text, its digits alone, and the digits with what the shop's newest order numbers have around them."""
    parts = _AROUND.fullmatch(text)
    found = {text, text.upper()}
    if parts:
        query = select(Delivery.number).where(
            Delivery.connector_id == connector_id, Delivery.kind.in_(streams.kinds("numbered"))
        )
        known = session.scalars(query.order_by(Delivery.id.desc()).limit(_SHAPES))
        shapes = {(shape[1], shape[3]) for number in known if (shape := _AROUND.fullmatch(number))}
        found |= {f"{before}{parts[2]}{after}" for before, after in shapes} | {parts[2]}
    return sorted(found)


def _customers(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    if asked.number is None or not asked.may_be("customer"):
        return
    query = select(Delivery.person_key).where(
        Delivery.connector_id == connector_id,
        Delivery.source_id == str(asked.number),
        Delivery.kind.not_in(streams.kinds("numbered")),
    )
    for person_key in dict.fromkeys(session.scalars(query.order_by((Delivery.id + 0).desc()).limit(HITS_MAX))):
        yield Hit(connector_id, "person", person_key, "customer id", f"Customer {asked.number}", person_key)


def _contacts(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    """Find people by their contact in Mautic: by the link, and by what the log knows of earlier ones."""
    if asked.number is None or not asked.may_be("contact"):
        return
    links = select(ContactLink.person_key).where(
        ContactLink.connector_id == connector_id, ContactLink.contact_id == asked.number
    )
    logged = select(SyncLogEntry.person_key).where(
        SyncLogEntry.connector_id == connector_id,
        SyncLogEntry.contact_id == asked.number,
        SyncLogEntry.person_key != "",
    )
    person_keys = [
        *session.scalars(links.limit(HITS_MAX)),
        *session.scalars(logged.order_by((SyncLogEntry.id + 0).desc()).limit(HITS_MAX)),
    ]
    for person_key in dict.fromkeys(person_keys):
        name = f"Contact {asked.number}"
        yield Hit(connector_id, "person", person_key, "contact id", name, person_key, asked.number)


def _emails(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    if asked.kind != "email":
        return
    keys = [person_key_of(asked.text)]
    if not is_first_version_key_shared(asked.text):
        # Of odd addresses it may still be the key, until a record of the person comes again.
        keys.append(first_version_key(asked.text))
    keys += account_addresses.current(session, connector_id, keys).values()
    for person_key in dict.fromkeys(keys):
        if seen(session, connector_id, person_key):
            yield Hit(connector_id, "person", person_key, "e-mail address", asked.text, person_key)


def seen(session: Session, connector_id: int, person_key: str) -> bool:
    """Return whether anything is known of a person."""
    tables = (ContactLink, Delivery, LedgerEntry, SyncLogEntry)
    for table in tables:
        query = (
            select(table.person_key).where(table.connector_id == connector_id, table.person_key == person_key).limit(1)
        )
        if session.scalar(query) is not None:
            return True
    return False


def _runs(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    """Find a run by its correlation id, or by its number where a run is asked for."""
    if asked.kind == "run" and asked.number is not None:
        run = session.get(Run, asked.number)
        found = [run] if run is not None and run.connector_id == connector_id else []
    elif asked.may_be("run") and CORRELATION.fullmatch(asked.text.lower()):
        newest = select(Run.id, Run.correlation_id).where(Run.connector_id == connector_id)
        few = newest.order_by(Run.id.desc()).limit(RUNS_LOOKED_AT_MAX).subquery()
        query = select(Run).join(few, few.c.id == Run.id).where(few.c.correlation_id.startswith(asked.text.lower()))
        found = list(session.scalars(query.limit(HITS_MAX)))
    else:
        return
    for run in found:
        words = f"{runs.KINDS[run.kind]}, {runs.badge(run)[0]}".lower()
        yield Hit(connector_id, "run", str(run.id), "correlation id", f"Run {run.id} ({words})")


def _carts(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    """Find a cart by its number where a cart is asked for: a mere number is an order's."""
    cart = session.get(Cart, asked.number) if asked.kind == "cart" and asked.number is not None else None
    if cart is not None and cart.connector_id == connector_id:
        name = f"Cart {cart.id} ({cart.email or 'no e-mail'})"
        yield Hit(connector_id, "cart", str(cart.id), "cart id", name, cart.person_key)


def _batches(session: Session, connector_id: int, asked: SearchQuery) -> Iterator[Hit]:
    """Find the records of a batch by what its calls carried, as their attempts show it."""
    if not asked.may_be("run") or not _BATCH.fullmatch(asked.text.lower()):
        return
    columns = (Attempt.id, Attempt.delivery_id, Attempt.correlation_id)
    newest = select(*columns).where(Attempt.connector_id == connector_id).order_by(Attempt.at.desc())
    few = newest.limit(ATTEMPTS_LOOKED_AT_MAX).subquery()
    fits = few.c.correlation_id.startswith(asked.text.lower(), autoescape=True)
    query = select(Delivery).where(Delivery.id.in_(select(few.c.delivery_id).where(fits)))
    for row in session.scalars(query.order_by(Delivery.id.desc()).limit(HITS_MAX)):
        name = f"Record {row.id} ({streams.labels(row.kind).noun.lower()} {row.number or row.source_id})"
        yield Hit(connector_id, "record", str(row.id), "correlation id of an attempt", name, row.person_key)


_LOOKS: tuple[Callable[[Session, int, SearchQuery], Iterator[Hit]], ...] = (
    _orders,
    _order_ids,
    _customers,
    _contacts,
    _emails,
    _carts,
    _runs,
)


def _with_contacts(session: Session, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits with the contact that their person is in Mautic."""
    links: dict[tuple[int, str], int] = {}
    for connector_id in {hit.connector_id for hit in hits}:
        person_keys = {hit.person_key for hit in hits if hit.person_key and hit.connector_id == connector_id}
        query = select(ContactLink.person_key, ContactLink.contact_id).where(
            ContactLink.connector_id == connector_id, ContactLink.person_key.in_(sorted(person_keys))
        )
        links |= {(connector_id, person_key): number for person_key, number in session.execute(query).tuples()}
    return [replace(hit, contact_id=links.get((hit.connector_id, hit.person_key), hit.contact_id)) for hit in hits]
