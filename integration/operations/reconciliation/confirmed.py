"""Tells of whom nothing differs by what a full sync knows of them, where nobody has compared them yet.

Of a record whose stamp holds (delivery/stamps.py) a full sync sends nothing: all that it wants of the contact was
confirmed, so that the contact's link has the hashes of it. Where that is so of all records of a person, and the contact
has all that was confirmed, a comparison finds nothing either: it wants nothing that is not among it. A sync plans the
records of each page for themselves, a comparison all together, but what an order says hangs on the ledger and the link
alone. One order less may give the name, since a newer one does, and that one has a stamp by the same link.

Whatever is not certain by that is compared as a whole: other records than profile and orders, a second account, consent
(whether Do Not Contact is ours tells its comment), and values that Mautic shows otherwise than they are sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Text, bindparam, cast, select
from sqlalchemy.orm import Session

from integration.events import Kind
from integration.identity import normalise_email, visible
from integration.mautic import reading
from integration.mautic.paging import number_of
from integration.mautic.same_value import forms
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.membership import among
from integration.models.sql import table_of
from integration.operations.reconciliation.people import Row as StoreRow
from integration.pipeline.consents import gate
from integration.pipeline.delivery import outcomes, read_back, stamps
from integration.pipeline.delivery.batch_context import NOTE, fingerprint
from integration.settings import Modules
from integration.streams import contacts as contacts_stream, orders as orders_stream

_TABLE = table_of(ContactLink)
_LINKS = select(_TABLE.c.person_key, _TABLE.c.contact_id, cast(_TABLE.c.fields, Text)).where(
    _TABLE.c.connector_id == bindparam("connector_id"), among(_TABLE.c.person_key, bindparam("person_keys"))
)
_TAG = "tag:"

#: By kind: source id -> digest of the row, of all records of one person.
Records = Mapping[Kind, Mapping[str, str]]


class Link(NamedTuple):
    """A person's contact, and the hashes of what Mautic has confirmed of it as the database has them, in JSON."""

    contact_id: int
    told: str | None

    @property
    def hashes(self) -> Mapping[str, str]:
        """Return the hashes by "kind.alias" (batch_context.hashes)."""
        found: Mapping[str, str] = json.loads(self.told or "{}")
        return found


def links(session: Session, connector_id: int, person_keys: Collection[str]) -> dict[str, Link]:
    """Return the links of those of these people who have one."""
    values = {"connector_id": connector_id, "person_keys": sorted(person_keys)}
    return {person_key: Link(*link) for person_key, *link in session.execute(_LINKS, values).tuples()}


def candidates(
    session: Session, connector: Connector, people: Mapping[str, Sequence[StoreRow]], ids: Mapping[str, Sequence[int]]
) -> dict[str, Link]:
    """Return the links of those of whom it may be told; `people` have their profiles, `ids` those of their orders.

    It spares reading twice what is compared as a whole in the end.
    """
    modules = Modules.from_json(connector.settings)
    if not people or modules.consent.enabled or modules.orders.category_tags:
        return {}
    accounts = {person_key: {str(row["id"]): row for row in rows} for person_key, rows in people.items()}
    orders = {person_key: [str(each) for each in ids.get(person_key, ())] for person_key in people}
    of_accounts = _kept(session, connector.id, contacts_stream.KIND, accounts.values())
    of_orders = _kept(session, connector.id, orders_stream.KIND, orders.values())
    fit = {
        person_key
        for person_key, rows in accounts.items()
        if _is_same(rows, of_accounts) and of_orders.keys() >= set(orders[person_key])
    }
    return links(session, connector.id, fit) if fit else {}


def _kept(session: Session, connector_id: int, kind: Kind, ids: Iterable[Iterable[str]]) -> dict[str, Row[Any]]:
    wanted = [each for theirs in ids for each in theirs]
    return stamps.kept(session, connector_id, kind, wanted) if wanted else {}


def _is_same(rows: Mapping[str, StoreRow], known: Mapping[str, Row[Any]]) -> bool:
    """Tell whether there is one account at most, and it was as it is when it got its stamp."""
    return len(rows) < 2 and all(each in known and known[each].row == stamps.of_row(row) for each, row in rows.items())


# -- the contact ------------------------------------------------------------------------------------------------------


def has_all(contact: Mapping[str, Any], link: Link, address: str) -> bool:
    """Tell whether a contact, as the API shows it, certainly has all that was confirmed; `address` is normalised.

    Of values that records of several kinds have each for themselves one is enough, as in a comparison.
    """
    hashes = link.hashes
    if number_of(contact) != link.contact_id or gate.DNC_KEY in hashes or not visible(address):
        return False
    values, tags = _parted(hashes)
    held, about = reading.values_of(contact), reading.described(contact)
    if values.pop("email", None) != {fingerprint(address)} or normalise_email(str(held.get("email"))) != address:
        return False
    if not all(_has(known, held.get(alias), about.get(alias, {})) for alias, known in values.items()):
        return False
    return not read_back.unlike_tags(tags, reading.tags_of(contact))


def _parted(hashes: Mapping[str, str]) -> tuple[dict[str, set[str]], list[str]]:
    """Return alias -> hashes of the values that were confirmed, and the tags that are to be there, or "-x" gone."""
    values: dict[str, set[str]] = {}
    tags: list[str] = []
    for key, known in hashes.items():
        alias = key.partition(".")[2]
        if alias.startswith(_TAG):
            tags.append(("-" if known == "-" else "") + alias.removeprefix(_TAG))
        elif alias and not alias.startswith(NOTE) and alias not in read_back.OWN:
            values.setdefault(alias, set()).add(known)
    return values, tags


def _has(known: Collection[str], held: Any, field: Mapping[str, Any]) -> bool:
    return any(fingerprint(form) in known for form in forms(held, field))


# -- the records ------------------------------------------------------------------------------------------------------


def standing(
    session: Session, connector: Connector, kept: Mapping[str, Sequence[str]], people: Mapping[str, Records]
) -> set[str]:
    """Return of whose records all stamps hold, and of at least one of them something is wanted.

    `kept` is what `stamps.stored` gave; `people` have the records that were read, which must be all that they have.
    """
    ground = stamps.ground(connector)
    found = {kind: _Known.of(session, connector.id, kind, people.values()) for kind in _KINDS}
    return {
        person_key
        for person_key, records in people.items()
        if all(found[kind].hold(person_key, records[kind], ground, kept[person_key]) for kind in records)
        and any(found[kind].is_wanted(records[kind]) for kind in records)
    }


_KINDS = (contacts_stream.KIND, orders_stream.KIND)


class _Known(NamedTuple):
    """What is known of records of one kind by source id: their stamps, and what decides of each beside its person."""

    stamps: Mapping[str, Row[Any]]
    decided: Mapping[str, list[str]]

    @classmethod
    def of(cls, session: Session, connector_id: int, kind: Kind, people: Iterable[Records]) -> _Known:
        """Return what is known of all records of a kind."""
        digests = {each: stamps.of_digest(row) for records in people for each, row in records.get(kind, {}).items()}
        if not digests:
            return cls({}, {})
        known = stamps.known(session, connector_id, kind, digests)
        return cls(known, stamps.of_records(session, connector_id, kind, digests))

    def hold(self, person_key: str, ids: Collection[str], ground: str, kept: Sequence[str]) -> bool:
        """Tell whether the stamps of all these records of a person hold; those of one page have the same."""
        pages: dict[str, list[list[str]]] = {}
        for source_id in ids:
            known = self.stamps.get(source_id)
            if known is None or known.person_key != person_key:
                return False
            pages.setdefault(known.stamp, []).append(self.decided[source_id])
        return all(stamps.made(ground, kept, records) == stamp for stamp, records in pages.items())

    def is_wanted(self, ids: Iterable[str]) -> bool:
        """Tell whether one of the records is in Mautic, and not left out: a comparison counts its person then."""
        return any(self.stamps[each].code == outcomes.UNCHANGED for each in ids)
