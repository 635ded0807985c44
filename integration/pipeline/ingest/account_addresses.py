"""Follows accounts whose e-mail address was changed in the store: their person stays the one they were.

All that is stored of the person moves to the key of the new address, so that the contact is written by its id and the
sums go on. What still comes under the address that was left, as the orders of that time do, belongs to the same person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from integration import streams
from integration.events import Change
from integration.identity import person_key_of
from integration.models.contact_link import ContactLink
from integration.models.former_address import FormerAddress
from integration.models.ledger import CustomerMark
from integration.models.membership import among
from integration.models.rekeying import rekey
from integration.models.sql import upsert
from integration.pipeline.ingest import store_clock
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry
from integration.record_ids import number_of
from integration.store.dates import lenient
from integration.store.sanitizing import text_of

_CURRENT = select(FormerAddress.person_key, FormerAddress.now_key).where(
    FormerAddress.connector_id == bindparam("connector_id"), among(FormerAddress.person_key, bindparam("person_keys"))
)


@dataclass(frozen=True, slots=True)
class _Account:
    """An account as a change shows it, under its own address; `id` is negative for one that a program sent."""

    id: int
    email: str
    change: Change

    @property
    def person_key(self) -> str:
        return self.change.person_key


def follow(session: Session, now: datetime, connector_id: int, changes: Sequence[Change]) -> None:
    """Move the people of the accounts that have another address now, in the caller's transaction."""
    accounts = [account for change in changes if (account := _account(change)) is not None]
    if not accounts:
        return
    marks = _marks(session, connector_id, [account.id for account in accounts])
    keys: dict[int, str] = {}
    future = store_clock.future(session, now, connector_id)
    former = set(current(session, connector_id, {account.person_key for account in accounts}))
    for account in accounts:
        mark = marks.get(account.id)
        left = keys.get(account.id, mark.person_key if mark is not None else "")
        if left == account.person_key or (mark is not None and _is_older(account.change, mark.version, future)):
            continue
        keys[account.id] = account.person_key
        if account.person_key in former:
            _give_back(session, connector_id, account.person_key)
        if left:
            _move(session, now, connector_id, account, left)
            former.add(left)
    rows = [
        {"connector_id": connector_id, "customer_id": number, "version": "", "person_key": person_key}
        for number, person_key in keys.items()
    ]
    upsert(session, CustomerMark, rows, ("person_key",))


def current(session: Session, connector_id: int, person_keys: Collection[str]) -> Mapping[str, str]:
    """Return former -> present key of those among these people whose address was left."""
    values = {"connector_id": connector_id, "person_keys": sorted(set(person_keys) - {""})}
    return dict(session.execute(_CURRENT, values).tuples().all())


def with_current_keys(session: Session, connector_id: int, changes: Sequence[Change]) -> list[Change]:
    """Return the changes, those under an address that was left as changes of the person of today."""
    now_keys = current(session, connector_id, {change.person_key for change in changes})
    return [replace(each, person_key=now_keys.get(each.person_key, each.person_key)) for each in changes]


def person_of(session: Session, connector_id: int, source_id: str) -> str:
    """Return the person key of an account as it was last read, "" where it is not known."""
    number = number_of(source_id)
    if number is None:
        return ""
    mine = (CustomerMark.connector_id == connector_id) & (CustomerMark.customer_id == number)
    return session.scalar(select(CustomerMark.person_key).where(mine)) or ""


def close(session: Session, connector_id: int, ids: Collection[int]) -> None:
    """Forget the marks of accounts that the store has no more, so that they hold nobody's address."""
    mine = (CustomerMark.connector_id == connector_id) & CustomerMark.customer_id.in_(sorted(ids))
    session.execute(delete(CustomerMark).where(mine))


def _account(change: Change) -> _Account | None:
    """Return the account that a change shows, None for one that is known by another address than its own."""
    email, number = text_of(change.payload.get("email")), number_of(change.source_id)
    if not streams.of(change.kind).is_account or change.event == "deleted" or not change.person_key or number is None:
        return None
    return _Account(number, email, change) if person_key_of(email) == change.person_key else None


def _marks(session: Session, connector_id: int, ids: Sequence[int]) -> dict[int, CustomerMark]:
    mine = (CustomerMark.connector_id == connector_id) & CustomerMark.customer_id.in_(ids)
    return {mark.customer_id: mark for mark in session.scalars(select(CustomerMark).where(mine))}


def _is_older(change: Change, version: str, future: datetime | None) -> bool:
    """Tell whether a sighting is older than the last read: a webhook that comes late must not lead back."""
    return store_clock.is_older(change.modified_at, lenient(version), future)


def _give_back(session: Session, connector_id: int, person_key: str) -> None:
    """Let an address that an account has now stand for nobody else."""
    mine = (FormerAddress.connector_id == connector_id) & (FormerAddress.person_key == person_key)
    session.execute(delete(FormerAddress).where(mine))


def _move(session: Session, now: datetime, connector_id: int, account: _Account, left: str) -> None:
    """Give the person at the address that was left the new one, unless that is another contact, or the old is used."""
    links = _contacts(session, connector_id, (left, account.person_key))
    if left not in links or _is_used(session, connector_id, account.id, left):
        return
    if account.person_key in links:
        sync_log_writing.record(session, [_two(now, connector_id, account, links[left], links[account.person_key])])
        return
    session.flush()
    rekey(session.connection(), connector_id, left, account.person_key)
    today = {"now_key": account.person_key, "email": account.email}
    before = (FormerAddress.connector_id == connector_id) & (FormerAddress.now_key == left)
    session.execute(update(FormerAddress).where(before).values(**today))
    row = {"connector_id": connector_id, "person_key": left, "customer_id": account.id, **today}
    upsert(session, FormerAddress, [row], ("customer_id", "now_key", "email"))


def _contacts(session: Session, connector_id: int, person_keys: Sequence[str]) -> dict[str, int]:
    query = select(ContactLink.person_key, ContactLink.contact_id).where(
        ContactLink.connector_id == connector_id, ContactLink.person_key.in_(person_keys)
    )
    return dict(session.execute(query).tuples().all())


def _is_used(session: Session, connector_id: int, customer_id: int, person_key: str) -> bool:
    """Tell whether another account has the address."""
    other = (CustomerMark.connector_id == connector_id) & (CustomerMark.customer_id != customer_id)
    query = select(CustomerMark.customer_id).where(other, CustomerMark.person_key == person_key).limit(1)
    return session.scalar(query) is not None


def _two(now: datetime, connector_id: int, account: _Account, former: int, present: int) -> Entry:
    sentence = (
        f"The account has another e-mail address now, and contact {present} has that one already: the account goes on "
        f"there. Contact {former} keeps the former address and its orders; merge both in Mautic if they are one person."
    )
    return Entry(
        connector_id,
        now,
        account.change.kind,
        account.change.source_id,
        "skip",
        message=sentence,
        contact_id=former,
        source_id=account.change.source_id,
        person_key=account.person_key,
    )
