"""Writes what was made ready: cart, story, sync log and what is owed to Mautic, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.carts import links
from integration.carts.coupons import Issued
from integration.carts.detection import end
from integration.carts.pricing import Priced
from integration.digests import digest
from integration.events import Change
from integration.models.cart import UNPREPARED_SQL, Cart
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.pipeline import outbox
from integration.pipeline.ingest import cart_succession
from integration.pipeline.ingest.cart_keeping import tell
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log
from integration.pipeline.sync_log.writing import Entry
from integration.records import Cart as CartRecord
from integration.streams.cart_payload import line_json
from integration.streams.carts import ABANDONED, KIND, change_of

#: What the sync log calls the making of a coupon (P84).
CREATE_COUPON = "create_coupon"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A cart as it was taken, with what it holds and its coupon."""

    cart: Cart
    priced: Priced
    coupon: Issued

    @property
    def problem(self) -> str:
        """Return what a person should know, "" for nothing."""
        return " ".join(dict.fromkeys((*self.priced.said, *filter(None, [self.coupon.problem]))))


def write(
    services: Services, connector: Connector, ready: Sequence[Announcement], ended: Mapping[int, str]
) -> list[int]:
    """Owe the carts to Mautic and end those of `ended` (id -> code); return the ids of the former.

    A cart that has changed since it was taken, or that somebody else has, stays as it is.
    """
    now, base_url = services.clock.now(), services.base_url
    with services.db.write() as session:
        # In the order in which the intake of orders locks: the connector, then its carts.
        lock_connector(session, connector.id)
        ours = _ours(session, [each.cart for each in ready], ended)
        announced = [each for each in ready if _is_same(each.cart, ours.get(each.cart.id))]
        for each in announced:
            cart_succession.make_way(session, now, ours[each.cart.id])
        changes = [_prepared(session, services, now, base_url, ours[each.cart.id], each) for each in announced]
        end(session, now, {number: code for number, code in ended.items() if number in ours})
        sync_log.record(session, list(_entries(now, announced)))
        outbox.accept(session, now, connector.id, changes)
        if changes:
            services.on_accept(session, connector.id)
    if changes:
        services.wakeup.ring(connector.id)
    return [each.cart.id for each in announced]


def _ours(session: Session, carts: Sequence[Cart], ended: Mapping[int, str]) -> dict[int, Cart]:
    ids = [*(cart.id for cart in carts), *ended]
    query = select(Cart).where(Cart.id.in_(ids), UNPREPARED_SQL).with_for_update()
    return {cart.id: cart for cart in session.scalars(query)}


def _is_same(taken: Cart, now: Cart | None) -> bool:
    return now is not None and (now.due_at, now.fingerprint) == (taken.due_at, taken.fingerprint)


def _prepared(
    session: Session, services: Services, now: datetime, base_url: str, cart: Cart, ready: Announcement
) -> Change:
    """Note on the cart what it is announced with, and return the change that is owed."""
    token = links.token_of(services.vault, cart)
    priced, coupon = ready.priced, ready.coupon
    cart.lines, cart.currency, cart.total = [line_json(line) for line in priced.lines], priced.currency, ""
    if priced.lines:
        cart.total = str(priced.total)
    cart.coupon_id, cart.coupon_code, cart.coupon_until = coupon.id, coupon.code, coupon.until
    cart.token_digest, cart.prepared_at, cart.due_at = digest(token), now, None
    cart.problem = ready.problem
    for text in dict.fromkeys((*priced.said, coupon.said or coupon.problem)):
        if text:
            tell(session, now, cart, text)
    return change_of(_record(cart, priced, links.url_of(base_url, token)), ABANDONED, now)


def _record(cart: Cart, priced: Priced, url: str) -> CartRecord:
    return CartRecord(
        id=cart.id,
        email=cart.email,
        currency=priced.currency,
        total=priced.total,
        lines=priced.lines,
        recovery_url=url,
        coupon=cart.coupon_code,
        draft_id=cart.order_id or 0,
        created_at=cart.created_at,
        changed_at=cart.changed_at,
    )


def _entries(now: datetime, announced: Sequence[Announcement]) -> Iterator[Entry]:
    """Yield an entry for each coupon that was made, and one for each cause why others were not."""
    said: set[str] = set()
    for each in announced:
        cart, coupon = each.cart, each.coupon
        if not coupon.made and (not coupon.problem or coupon.problem in said):
            continue
        said.add(coupon.problem)
        text = f"Made the coupon {coupon.code}." if coupon.made else coupon.problem
        yield entry_of(cart, now, CREATE_COUPON, text, sync_log.SUCCESS if coupon.made else sync_log.ERROR)


def entry_of(cart: Cart, now: datetime, action: str, message: str, status: str = sync_log.SUCCESS) -> Entry:
    """Return an entry of the sync log about a cart's coupon."""
    number = str(cart.id)
    return Entry(
        cart.connector_id, now, KIND, number, action, status, message, source_id=number, person_key=cart.person_key
    )
