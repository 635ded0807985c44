"""Who is erased: the keys under which the person is kept, and what is to be found of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from integration.identity import person_key_of, visible
from integration.models.cart import Cart
from integration.models.cart_leftover import CartLeftover
from integration.models.contact_link import ContactLink
from integration.models.database import Database
from integration.models.delivery import Delivery
from integration.models.former_address import FormerAddress
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.rekeying import addresses_in
from integration.models.subscription import Subscription
from integration.operations.erasure.words import Words, people_in

#: Payloads that are read at a time.
ROWS_AT_ONCE = 500


@dataclass
class Traces:
    """What one connector keeps a person by: `keys` of their addresses and of records that had no address when they
    came, ids of orders and accounts, contacts of Mautic with the hashes of what was written there, coupons by id, and
    `codes` of those that the store may have made or not."""

    connector_id: int
    keys: list[str]
    orders: list[int] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    contacts: dict[int, list[str]] = field(default_factory=dict)
    coupons: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    @property
    def record_keys(self) -> list[str]:
        """Return the keys of records that are the person's without naming an address."""
        return [*(f"contact:{number}" for number in self.accounts), *(f"order:{number}" for number in self.orders)]

    def to_json(self) -> dict[str, Any]:
        """Return the traces as JSON."""
        return {**vars(self), "contacts": [[number, names] for number, names in self.contacts.items()]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Traces:
        """Return the traces that `to_json` gave."""
        return cls(**{**stored, "contacts": {int(number): names for number, names in stored["contacts"]}})


@dataclass(frozen=True)
class Person:
    """The person with an address in all connectors of an erasure, with the words by which texts tell of them."""

    email: str
    words: Words
    traces: Sequence[Traces]

    def to_json(self) -> dict[str, Any]:
        """Return the person as JSON, to be sealed."""
        return {"email": self.email, "words": self.words.to_json(), "traces": [each.to_json() for each in self.traces]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Person:
        """Return the person that `to_json` gave."""
        return cls(
            stored["email"], Words.from_json(stored["words"]), [Traces.from_json(each) for each in stored["traces"]]
        )


def gather(db: Database, email: str, connector_ids: Iterable[int]) -> Person:
    """Return what is known of the person with an address: other spellings and former addresses are theirs, too."""
    traces = [_traces(db, number, person_key_of(email)) for number in connector_ids]
    addresses, people = {visible(email)}, list[dict[str, str]]()
    for one in traces:
        keys = set(one.keys)
        for payload in _payloads(db, one):
            addresses |= {each for each in addresses_in(payload) if person_key_of(each) in keys}
            people += [each for each in people_in(payload) if each not in people]
        addresses |= _former(db, one)
    return Person(visible(email), Words.of(addresses, people), traces)


def _traces(db: Database, connector_id: int, person_key: str) -> Traces:
    with db.read() as session:
        keys, accounts = _keys(session, connector_id, person_key)
        mine = LedgerEntry.connector_id == connector_id, LedgerEntry.person_key.in_(keys)
        orders = list(session.scalars(select(LedgerEntry.order_id).where(*mine)))
        links = session.scalars(
            select(ContactLink).where(ContactLink.connector_id == connector_id, ContactLink.person_key.in_(keys))
        ).all()
        coupons, codes = _coupons(session, connector_id, keys)
    contacts = {link.contact_id: written(link.fields or {}) for link in links}
    return Traces(connector_id, keys, orders, accounts, contacts, coupons, codes)


def _coupons(session: Session, connector_id: int, keys: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the coupons of the person's carts, those that a cart has already left behind too: ids, and codes."""
    mine = Cart.connector_id == connector_id, Cart.person_key.in_(keys)
    left = CartLeftover.connector_id == connector_id, CartLeftover.cart_id.in_(select(Cart.id).where(*mine))
    of_carts = select(Cart.coupon_id, Cart.coupon_code).where(*mine)
    rows = session.execute(of_carts.union(select(CartLeftover.coupon_id, CartLeftover.coupon_code).where(*left)))
    found = rows.tuples().all()
    ids = sorted({number for number, _ in found if number is not None})
    return ids, sorted({code for number, code in found if number is None and code})


def _keys(session: Session, connector_id: int, person_key: str) -> tuple[list[str], list[int]]:
    """Return the keys of all addresses that the person has or had, and the ids of their accounts."""
    keys, accounts = {person_key}, set[int]()
    while True:
        mine = FormerAddress.connector_id == connector_id
        either = or_(FormerAddress.person_key.in_(keys), FormerAddress.now_key.in_(keys))
        rows = session.execute(
            select(FormerAddress.person_key, FormerAddress.now_key, FormerAddress.customer_id).where(mine, either)
        ).all()
        marks = CustomerMark.connector_id == connector_id, CustomerMark.person_key.in_(keys)
        accounts |= {row.customer_id for row in rows} | set(
            session.scalars(select(CustomerMark.customer_id).where(*marks))
        )
        more = {key for row in rows for key in (row.person_key, row.now_key)} - keys
        if not more:
            return sorted(keys), sorted(accounts)
        keys |= more


def written(hashes: Mapping[str, str]) -> list[str]:
    """Return the fields and tags that we gave a contact, as "field" and "tag:x"."""
    parts = {key.partition(".")[2]: sign for key, sign in hashes.items()}
    names = [name for name, sign in parts.items() if not name.startswith(("tag:", "#")) or sign.startswith("+")]
    return sorted(name for name in names if name and name != "email" and not name.startswith("#"))


def _payloads(db: Database, one: Traces) -> Iterator[Mapping[str, Any]]:
    """Yield all that is stored of the person's records, a slice of rows in a read of its own."""
    mine = Delivery.connector_id == one.connector_id
    for keys in parts([*one.keys, *one.record_keys]):
        yield from _walked(
            db, select(Delivery.id, Delivery.payload).where(mine, Delivery.person_key.in_(keys)), Delivery
        )
    carts = select(Cart.id, Cart.email).where(Cart.connector_id == one.connector_id, Cart.person_key.in_(one.keys))
    yield from _walked(db, carts, Cart)
    columns = (Subscription.email, Subscription.first_name, Subscription.last_name)
    own = Subscription.connector_id == one.connector_id, Subscription.person_key.in_(one.keys)
    yield from _walked(db, select(Subscription.id, *columns).where(*own), Subscription)


def _walked(db: Database, query: Select[Any], model: Any) -> Iterator[Mapping[str, Any]]:
    last = 0
    while True:
        with db.read() as session:
            rows = session.execute(query.where(model.id > last).order_by(model.id).limit(ROWS_AT_ONCE)).mappings().all()
        for row in rows:
            payload = row.get("payload", row)
            if isinstance(payload, Mapping):
                yield payload
        if len(rows) < ROWS_AT_ONCE:
            return
        last = rows[-1]["id"]


def _former(db: Database, one: Traces) -> set[str]:
    """Return the addresses of today of accounts that have left one."""
    mine = FormerAddress.connector_id == one.connector_id, FormerAddress.now_key.in_(one.keys)
    with db.read() as session:
        return set(session.scalars(select(FormerAddress.email).where(*mine)))


def parts(values: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """Yield the values in parts that fit into one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
