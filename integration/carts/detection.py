"""Finds the carts that were left: nothing has changed for the timeout, and nobody has bought since (P53, X15).

Any number of processes may look: rows that one of them holds are passed by, and a cart is found once, for that changes
its state. Each transaction is short, however many carts are due at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from integration.mapping import triggers
from integration.models.cart import ACTIVE_SQL, UNPREPARED_SQL, Cart, CartEvent, CartState
from integration.models.connector import Connector, ConnectorState
from integration.models.ledger import LedgerEntry
from integration.pipeline.delivery.person_context import buys
from integration.pipeline.ingest.buyers import People
from integration.pipeline.ingest.cart_keeping import SILENT, forget_person
from integration.pipeline.services import Services
from integration.settings import CartModule
from integration.streams.carts import ANNOUNCE_WITHIN, BOUGHT, ENDS, TOO_LATE
from integration.words import counted

#: How often it is looked; with preparing that is well within the minute that a cart may be late (P53).
EVERY_S = 15
#: So many carts are looked at in one transaction.
BATCH_CARTS = 500
_COLUMNS = (
    Cart.id,
    Cart.items,
    Cart.consent,
    Cart.person_key,
    Cart.order_id,
    Cart.created_at,
    Cart.changed_at,
    Cart.synced_at,
)


def tick(services: Services) -> int:
    """Find what was left in all shops and return how many carts were looked at."""
    return sum(_of_connector(services, connector) for connector in watched(services))


def watched(services: Services) -> list[Connector]:
    """Return the connectors whose carts are announced: active, with the module on, and the first import done.

    Before that it is not known who has ordered already.
    """
    active = (Connector.state == ConnectorState.ACTIVE) & Connector.initial_done_at.is_not(None)
    with services.db.read() as session:
        found = session.scalars(select(Connector).where(active).order_by(Connector.id)).all()
    return [connector for connector in found if services.modules(connector).carts.enabled]


def _of_connector(services: Services, connector: Connector) -> int:
    module = services.modules(connector).carts
    looked_at, count = 0, BATCH_CARTS
    while count == BATCH_CARTS:
        with services.db.write() as session:
            count = _Look(session, services.clock.now(), connector, module).take()
        looked_at += count
    with services.db.write() as session:
        _give_up(session, services.clock.now(), connector.id)
    return looked_at


@dataclass
class _Look:
    """One look at the idle carts of a shop, in one transaction."""

    session: Session
    now: datetime
    connector: Connector
    module: CartModule

    def take(self) -> int:
        """Let the carts that are idle for the timeout be abandoned, bought or ended; return how many there were."""
        idle = self.now - timedelta(minutes=self.module.timeout)
        due = (Cart.connector_id == self.connector.id, ACTIVE_SQL, Cart.changed_at <= idle)
        query = select(*_COLUMNS).where(*due).order_by(Cart.changed_at).limit(BATCH_CARTS)
        carts = self.session.execute(query.with_for_update(skip_locked=True)).all()
        count = len(carts)
        bought = self._bought(carts) if carts else set()
        self._wait_for_payment([cart.id for cart in carts if cart.id in bought and cart.synced_at])
        carts = [cart for cart in carts if cart.id not in bought or not cart.synced_at]
        ends = {cart.id: BOUGHT.code if cart.id in bought else self._end(cart) for cart in carts}
        self._abandon([number for number, end in ends.items() if not end])
        self._forget([number for number, end in ends.items() if end == "consent"])
        others = {number: end for number, end in ends.items() if end not in ("", "consent")}
        end(self.session, self.now, others)
        return count

    def _wait_for_payment(self, ids: Sequence[int]) -> None:
        """Leave carts that Mautic has as they are: the order is recovered when it is paid."""
        _write(self.session, ids, {"state": CartState.SYNCED})
        _tell(
            self.session, self.now, dict.fromkeys(ids, "The person has ordered since; the cart waits for the payment.")
        )

    def _end(self, cart: Row[Any]) -> str:
        """Return the code of why nobody is reminded of a cart, "" when they are."""
        silent = cart.consent is not None and cart.consent["source"] == SILENT
        if cart.consent is None or (silent and not self.module.silent):
            return "consent"
        if cart.items == []:
            return "empty"
        since = triggers.since(triggers.CARTS, self.connector.triggers)
        if since is not None and cart.changed_at < since - ANNOUNCE_WITHIN:
            return "before_start"
        left_at = cart.changed_at + timedelta(minutes=self.module.timeout)
        return TOO_LATE.code if left_at < self.now - ANNOUNCE_WITHIN else ""

    def _bought(self, carts: Sequence[Row[Any]]) -> set[int]:
        """Return the carts whose person, or whose own order, was placed since, as far as is known here."""
        people = People(self.session, self.connector.id, [cart.person_key for cart in carts])
        own = self._own_orders([cart.order_id for cart in carts if cart.order_id])
        return {
            cart.id
            for cart in carts
            for row in (*people.rows(cart.person_key), *own.get(cart.order_id or 0, ()))
            if buys(row, cart.order_id or 0, cart.created_at)
        }

    def _own_orders(self, ids: Collection[int]) -> dict[int, list[LedgerEntry]]:
        mine = (LedgerEntry.connector_id == self.connector.id, LedgerEntry.order_id.in_(ids))
        found: dict[int, list[LedgerEntry]] = defaultdict(list)
        for row in self.session.scalars(select(LedgerEntry).where(*mine)) if ids else ():
            found[row.order_id].append(row)
        return found

    def _abandon(self, ids: Sequence[int]) -> None:
        values = {
            "state": CartState.ABANDONED,
            "abandoned_at": self.now,
            "announce_until": self.now + ANNOUNCE_WITHIN,
            "due_at": self.now,
            "tries": 0,
            "reason": "",
            "problem": "",
        }
        _write(self.session, ids, values)
        text = f"Nothing has changed for {counted(self.module.timeout, 'minute')}: the cart counts as left."
        _tell(self.session, self.now, dict.fromkeys(ids, text))

    def _forget(self, ids: Sequence[int]) -> None:
        for cart in self.session.scalars(select(Cart).where(Cart.id.in_(ids))) if ids else ():
            forget_person(self.session, self.now, cart)
            cart.reason = "consent"
        _tell(self.session, self.now, dict.fromkeys(ids, ENDS["consent"]))


def end(session: Session, now: datetime, ends: Mapping[int, str]) -> None:
    """End carts that nobody is reminded of: cart id -> code of streams.carts.ENDS."""
    for code in sorted(set(ends.values())):
        state = CartState.BOUGHT if code == BOUGHT.code else CartState.EXPIRED
        ids = [number for number, each in ends.items() if each == code]
        _write(session, ids, {"state": state, "reason": code, "ended_at": now, "due_at": None})
    _tell(session, now, {number: ENDS[code] for number, code in ends.items()})


def _give_up(session: Session, now: datetime, connector_id: int) -> None:
    """End carts that could not be made ready in time: a late reminder does more harm than good."""
    late = (Cart.connector_id == connector_id, UNPREPARED_SQL, Cart.announce_until <= now)
    query = select(Cart.id).where(*late).limit(BATCH_CARTS).with_for_update(skip_locked=True)
    end(session, now, dict.fromkeys(session.scalars(query), TOO_LATE.code))


def _write(session: Session, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    if ids:
        statement = update(Cart).where(Cart.id.in_(ids)).values(**values)
        session.execute(statement.execution_options(synchronize_session=False))


def _tell(session: Session, now: datetime, texts: Mapping[int, str]) -> None:
    rows = [{"cart_id": number, "at": now, "text": text} for number, text in texts.items()]
    if rows:
        session.execute(insert(CartEvent), rows)
