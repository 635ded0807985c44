"""Stamps: how the door knows again what came to nothing when it was looked at last.

A stamp is a digest of all that decides what becomes of a person's records: the connector's settings and Mautic's
fields, all that is stored of the person, and the records as the store gave them to this program. So nobody has to
think of taking a stamp away: whatever changes gives another digest, and the records are looked at again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import JSON, Row, Select, Text, bindparam, cast, select, union_all
from sqlalchemy.orm import Session

from integration import program, streams
from integration.digests import ROW, row_digest, short
from integration.events import Change, Kind, Origin, content_hash
from integration.models.base import Base, UtcDateTime
from integration.models.connector import Connector
from integration.models.consent import ConsentEntry
from integration.models.contact_link import ContactLink
from integration.models.follow_up import FollowUpMark
from integration.models.former_address import FormerAddress
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.membership import among
from integration.models.record_stamp import OF_RECORDS, RecordStamp
from integration.models.recurring_order import RecurringEntry
from integration.models.sql import table_of, upsert
from integration.pipeline.connectors import store_profile
from integration.pipeline.delivery.batch_context import LIMITS
from integration.settings import Modules

#: When a customer was read last, and by which list an order was, decides nothing.
_LEFT_OUT = ("connector_id", "version", "listed")
_STAMPS = table_of(RecordStamp)
_KNOWN = select(*(_STAMPS.c[name] for name in ("source_id", "person_key", "row", "stamp", "code"))).where(OF_RECORDS)
_FORMERS = table_of(FormerAddress)
# Two questions, for SQLite answers one with OR by walking through the connector's.
_FORMER = union_all(
    *(
        select(*_FORMERS.columns).where(
            _FORMERS.c.connector_id == bindparam("connector_id"), among(_FORMERS.c[name], bindparam("people"))
        )
        for name in ("person_key", "now_key")
    )
)


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page of the store with what is known of them, by source id.

    `digests` are those of all rows, `stamps` those of rows that are as they were when they came to nothing. `read`
    makes a row's change.
    """

    kind: Kind
    origin: Origin
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, Row[Any]] = field(default_factory=dict)
    read: Callable[[Any], Change] | None = None

    @property
    def people(self) -> dict[str, list[str]]:
        """Return person key -> source ids of the rows that are as they were."""
        found: dict[str, list[str]] = {}
        for source_id, stamp in self.stamps.items():
            found.setdefault(stamp.person_key, []).append(source_id)
        return found

    def change(self, row: Mapping[str, Any]) -> Change:
        """Return a row's change; its payload tells of which row and page it is, for as long as nothing replaces it.

        One without a date is known by its payload alone, which stays as it is.
        """
        assert self.read is not None, "a page is recognised with what reads its rows"
        change = self.read(row)
        digest = self.digests.get(change.source_id)
        if digest is None or change.modified_at is None:
            return change
        return replace(change, payload={**change.payload, ROW: [next(iter(self.digests)), digest]})

    def others(self, rows: Iterable[Any]) -> list[Any]:
        """Return those of the page's rows that are not as they were."""
        return [row for row in rows if str(row["id"]) not in self.stamps]

    def completed(self, changes: Iterable[Change], settled: Collection[str]) -> list[Change]:
        """Return the changes and those of rows that are as they were and not `settled`, in the order of the page."""
        left = [self.change(self.rows[each]) for each in self.stamps if each not in settled]
        places = {source_id: place for place, source_id in enumerate(self.rows)}
        return sorted([*changes, *left], key=lambda change: places.get(change.source_id, 0)) if left else [*changes]


def of_row(row: Mapping[str, Any]) -> str:
    """Return the digest of a row as the store gave it; another program may read it otherwise, and has another."""
    return of_digest(row_digest(row))


def of_digest(digest: str) -> str:
    """Return the same of a row of which only `digests.row_digest` is there."""
    return short(program.digest() + digest)


def known(session: Session, connector_id: int, kind: Kind, digests: Mapping[str, str]) -> dict[str, Row[Any]]:
    """Return the stamps of those of these rows that are as they were, by source id; `digests` are the rows'."""
    found = kept(session, connector_id, kind, digests)
    return {source_id: stamp for source_id, stamp in found.items() if stamp.row == digests[source_id]}


def kept(session: Session, connector_id: int, kind: Kind, ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Return the stamps that these records of a kind have, by source id, whether they hold or not.

    They have `source_id`, `person_key`, `row`, `stamp` and `code` of models.RecordStamp.
    """
    values = {"of_connector": connector_id, "of_kind": kind, "source_ids": list(ids)}
    return {stamp.source_id: stamp for stamp in session.execute(_KNOWN, values).all()}


def of_people(
    session: Session, connector: Connector, page: Page, people: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return the stamp of each of these people as all stands now; `people` has the source ids of each on the page."""
    decides = ground(connector)
    digests = {source_id: page.digests[source_id] for theirs in people.values() for source_id in theirs}
    kept, records = stored(session, connector, sorted(people)), of_records(session, connector.id, page.kind, digests)
    return {
        person_key: made(decides, kept[person_key], [records[each] for each in theirs])
        for person_key, theirs in people.items()
    }


def made(decides: str, kept: Iterable[str], records: Iterable[list[str]]) -> str:
    """Return the stamp of those of a person's records that are on one page: of all that decides what becomes of them.

    `decides` is what `ground` gave, `kept` what `stored` gave of the person, `records` what `of_records` gave of each.
    """
    return short(repr((decides, sorted(kept), sorted(records))))


def keep(session: Session, connector_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write stamps over those that the records have; the rows have all columns but the connector's."""
    names = [column.name for column in table_of(RecordStamp).columns if not column.primary_key]
    upsert(session, RecordStamp, [{"connector_id": connector_id, **row} for row in rows], names)


def ground(connector: Connector) -> str:
    """Return what decides of all records of a connector."""
    facts = connector.store_facts
    limits, currency = connector.mautic_facts.get(LIMITS), facts.get("currency")
    mautic = connector.mautic_url, connector.fields, limits
    return content_hash([connector.settings, connector.triggers, currency, repr(store_profile.shop(facts)), mautic])


def stored(session: Session, connector: Connector, people: Sequence[str]) -> dict[str, list[str]]:
    """Return all that plans look at of these people, as `batch_context.lay` reads it."""
    found, links = beside_links(session, connector, people), linked(session, connector.id, people)
    return {person_key: [*links[person_key], *rows] for person_key, rows in found.items()}


def linked(session: Session, connector_id: int, people: Sequence[str]) -> dict[str, list[str]]:
    """Return what is stored of these people's contacts in Mautic."""
    return _stored(session, [ContactLink], connector_id, people)


def beside_links(session: Session, connector: Connector, people: Sequence[str]) -> dict[str, list[str]]:
    """Return all that plans look at of these people beside their links."""
    found = _stored(session, _tables(Modules.from_json(connector.settings)), connector.id, people)
    for former in _former(session, connector.id, people):
        for person_key in found.keys() & {former.person_key, former.now_key}:
            found[person_key].append(repr(former))
    return found


def _stored(
    session: Session, models: Iterable[type[Base]], connector_id: int, people: Sequence[str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {person_key: [] for person_key in people}
    for model in models:
        for person_key, *values in _rows(session, model, "person_key", connector_id, people):
            found[person_key].append(f"{model.__tablename__} {values!r}")
    return found


def _tables(modules: Modules) -> Iterator[type[Base]]:
    yield LedgerEntry
    if modules.orders.subscriptions:
        yield RecurringEntry
    if modules.consent.enabled:
        yield ConsentEntry


def _former(session: Session, connector_id: int, people: Sequence[str]) -> Sequence[Row[Any]]:
    return session.execute(_FORMER, {"connector_id": connector_id, "people": people}).all()


def of_records(session: Session, connector_id: int, kind: Kind, digests: Mapping[str, str]) -> dict[str, list[str]]:
    """Return by source id what decides of each of these records of a kind; `digests` are those of their rows."""
    found = {source_id: [source_id, digest] for source_id, digest in digests.items()}
    if streams.of(kind).is_account:
        rows = _rows(session, CustomerMark, "customer_id", connector_id, [int(each) for each in digests])
    else:
        rows = _rows(session, FollowUpMark, "order_id", connector_id, list(digests))
    for number, *values in sorted(map(tuple, rows), key=repr):
        found[str(number)].append(repr(values))
    return found


def _rows(session: Session, model: type[Base], name: str, connector_id: int, keys: Sequence[Any]) -> Iterable[Any]:
    """Return the rows of a table by one of its columns, which comes first; its others but the connector follow."""
    return session.execute(_query(model, name), {"connector_id": connector_id, "keys": keys}).all()


@functools.cache
def _query(model: type[Base], name: str) -> Select[Any]:
    table = table_of(model)
    others = [each for each in table.columns if each.name not in (name, *_LEFT_OUT)]
    mine = (table.c.connector_id == bindparam("connector_id"), among(table.c[name], bindparam("keys")))
    return select(table.c[name], *(_plain(each) for each in others)).where(*mine)


def _plain(column: Any) -> Any:
    """Return a column as the database writes it: to read a moment or a map would cost more than all else."""
    return cast(column, Text) if isinstance(column.type, JSON | UtcDateTime) else column
