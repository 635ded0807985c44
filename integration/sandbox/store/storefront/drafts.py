"""Draft orders: made when the checkout is opened, following the cart, turned into orders, cleaned up at midnight.

They lie in the same store as all orders, so that lists and webhooks see them.
"""

from __future__ import annotations

from datetime import datetime

from integration.sandbox.store import coupon_use, documents, order_building, order_changes
from integration.sandbox.store.gateways import GATEWAYS
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.sessions_kept import Session
from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import draft_document, sessions
from integration.sandbox.store.storefront.totals import totals

DRAFT = "checkout-draft"
DAY = 86400
STORE_API, CLASSIC = "store-api", "checkout"


def of(state: State, session: Session) -> Row | None:
    """Return the draft of a session; one that was bought, deleted or cleaned up is none."""
    row = state.orders.get(session.draft)
    return row if row and row.status == DRAFT else None


def open_checkout(state: State, session: Session, ip: str = "127.0.0.1", agent: str = "") -> Row:
    """Return the session's draft as the checkout makes or touches it: one request, one order.updated (storefront:054).

    Called when the block checkout's page is rendered and by GET, PUT and POST checkout; the cart must not be empty.
    """
    row = of(state, session) or _made(state, session, ip, agent)
    follow(state, session)
    return row


def _made(state: State, session: Session, ip: str, agent: str, status: str = DRAFT, via: str = STORE_API) -> Row:
    now = state.now()
    row = Row(state.next_id("post"), status, now, now, document=draft_document.blank(state, ip, agent, via))
    documents.own_of_order(state, row)["payment_method"] = next(iter(GATEWAYS))
    state.orders.add(row)
    session.draft = row.id
    sessions.keep(state, session)
    return row


def follow(state: State, session: Session) -> None:
    """Make the draft, if there is one, say what the cart says; its date moves even if nothing changed."""
    row = of(state, session)
    if row is None:
        return
    _fill(state, session, row)
    state.changed("order.updated", row.id)


def _fill(state: State, session: Session, row: Row) -> None:
    document = documents.own_of_order(state, row)
    draft_document.fill(state, session, totals(state, session), document)
    row.email, row.customer_id = session.email, session.customer_id
    state.orders.touch(row, state.now())


def set_payment(state: State, row: Row, method: str) -> None:
    """Note the way of paying in an order."""
    document = documents.own_of_order(state, row)
    document["payment_method"], document["payment_method_title"] = method, GATEWAYS.get(method, "")


def set_meta(state: State, row: Row, values: dict[str, str]) -> None:
    """Write meta data into an order."""
    document = documents.own_of_order(state, row)
    given = [{"key": key, "value": value} for key, value in values.items()]
    document["meta_data"] = order_building.meta(state, document["meta_data"], given)


def place(state: State, session: Session, row: Row) -> Row:
    """Turn a draft into an order: same id, order.updated and then order.created, the cart emptied (storefront:064).

    Cash on delivery is processing at once, bank transfer waits on hold, what costs nothing is paid (storefront:070).
    """
    return _placed(state, session, row, ("order.updated", "order.created"))


def place_classic(
    state: State, session: Session, method: str, note: str = "", ip: str = "127.0.0.1", agent: str = ""
) -> Row:
    """Make an order of a cart without a draft before it, as the classic checkout does (storefront:149, storefront:151).

    The webhooks are those of any order made: order.created, then order.updated.
    """
    held, session.draft = session.draft, 0
    row = _made(state, session, ip, agent, "pending", CLASSIC)
    session.draft = held
    set_payment(state, row, method)
    documents.own_of_order(state, row)["customer_note"] = note
    return _placed(state, session, row, ("order.created", "order.updated"))


def _placed(state: State, session: Session, row: Row, topics: tuple[str, str]) -> Row:
    document = documents.own_of_order(state, row)
    _fill(state, session, row)
    due = draft_document.amount_due(document) > 0
    status = "on-hold" if due and document["payment_method"] == "bacs" else "processing"
    coupon_use.take(state, row)
    # Who hears of it waits for the lock, so both webhooks show the order as it is in the end (storefront:065, 066).
    state.changed(topics[0], row.id)
    order_changes.settle(state, row, status, paid=not due)
    state.changed(topics[1], row.id)
    _forget(state, session, row)
    return row


def received_url(state: State, row: Row, home: str) -> str:
    """Return the address of an order's thank-you page, where its buyer is sent."""
    return f"{home}/checkout/order-received/{row.id}/?key={documents.of_order(state, row)['order_key']}"


def _forget(state: State, session: Session, row: Row) -> None:
    session.items.clear()
    session.coupons.clear()
    session.draft = 0
    session.known_orders.append(row.id)
    sessions.keep(state, session)


def clean_up(state: State) -> list[int]:
    """Delete the drafts not changed for a day and return their ids: no webhook tells of it (storefront:134)."""
    before = state.now() - DAY
    old = [row for row in state.orders.changed_between(None, before + 1) if row.status == DRAFT]
    for row in old:
        order_changes.delete(state, row)
    return [row.id for row in old]


class Midnight:
    """Cleans up when the shop's day has changed since it was last asked, as the shop's cron does at midnight."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._day = self._today()

    def _today(self) -> int:
        return datetime.fromtimestamp(self._state.now(), self._state.zone).toordinal()

    def strike(self) -> None:
        """Clean up if it is another day."""
        today = self._today()
        if today == self._day:
            return
        self._day = today
        with self._state.lock:
            clean_up(self._state)
