"""Uninstalling a connector (P103): what is ours leaves the store, then our data goes; Mautic is not touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration.errors import ServiceError, SettingError
from integration.models.cart import Cart
from integration.models.connector import Connector
from integration.operations.retention import deletion
from integration.operations.retention.deletion import Deleted
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.connectors import webhook_registration
from integration.pipeline.services import Services
from integration.store import coupons as store
from integration.store.coupons import BATCH_MAX
from integration.store.webhooks import MISSING
from integration.words import counted


@dataclass
class Left:
    """What left the store: numbers, and sentences of what could not be removed and of what stays on purpose."""

    webhooks: int = 0
    coupons: int = 0
    remains: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)

    @property
    def done(self) -> list[str]:
        """Return in sentences what was removed."""
        numbers = ((self.webhooks, "webhook"), (self.coupons, "coupon"))
        return [f"{counted(number, noun)} removed from the store." for number, noun in numbers if number]

    @property
    def diff(self) -> dict[str, Any]:
        """Return what the audit log keeps."""
        told = {"webhooks": self.webhooks, "coupons": self.coupons, "remains": self.remains, "stays": self.stays}
        return {name: [None, value] for name, value in told.items()}


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """What was done: `left` in the store, and here, where `deleted` is None if something in the store must go first."""

    name: str
    left: Left
    deleted: Deleted | None = None

    @property
    def diff(self) -> dict[str, Any]:
        """Return what the audit log keeps."""
        return {**self.left.diff, **(self.deleted.diff if self.deleted else {})}


def uninstall(
    services: Services, connector_id: int, *, anyway: bool = False, audit: Audit[Uninstalled] = unaudited
) -> Uninstalled:
    """Remove what is ours from the store and delete our data; what remains in the store is told, by topic and code.

    Where something remains the connector stays, paused, so that it can be tried again; `anyway` deletes it all the
    same. Raises IntegrationError (run_going, busy) while something of it is under way.
    """
    connector = deletion.shut(services, connector_id)
    left = leave_store(services, connector)
    if left.remains and not anyway:
        undone = Uninstalled(connector.name, left)
        with services.db.write() as session:
            audit(session, undone)
        return undone

    def audited(session: Session, done: Deleted) -> None:
        audit(session, Uninstalled(connector.name, left, done))

    # What could not be reached just now is not tried a second time.
    return Uninstalled(connector.name, left, deletion.delete(services, connector_id, audit=audited, webhooks=False))


def leave_store(services: Services, connector: Connector) -> Left:
    """Remove our webhooks and coupons from the store; what cannot be is told and changes nothing here."""
    left = Left()
    if not connector.store_url:
        return left
    try:
        before = len(connector.webhook_ids or {})
        health = webhook_registration.remove(services, connector.id)
        there = [f"The webhook {one.topic} (number {one.id})." for one in health if one.state != MISSING]
        left.webhooks, left.remains = max(before - len(there), 0), there
    except (ServiceError, SettingError) as error:
        left.remains = [f"The webhook {topic} (number {number})." for topic, number in _webhooks(connector)]
        left.remains += [] if left.remains else [f"Whether the store has webhooks of ours is not known. {error}"]
    try:
        _remove_coupons(services, connector, left)
    except (ServiceError, SettingError):
        left.remains += [f"The coupon {code}." for code in _codes(services, connector.id)]
    return left


def _webhooks(connector: Connector) -> list[tuple[str, int]]:
    return sorted((topic, number) for topic, number in (connector.webhook_ids or {}).items() if number)


def _remove_coupons(services: Services, connector: Connector, left: Left) -> None:
    """Delete the coupons of carts, a hundred a call; one that an order has used belongs to that order and stays."""
    client = services.open_store(connector) if _codes(services, connector.id) else None
    last = 0
    while client is not None and (rows := _next(services, connector.id, last)):
        # Whether a coupon without an id was ever made, only the store can tell.
        ids = {row.id: row.coupon_id or store.id_of(client, row.coupon_code) for row in rows}
        cleared = store.delete_unused(client, [number for number in ids.values() if number])
        left.coupons += len(cleared.deleted)
        for row in rows:
            if ids[row.id] in cleared.used:
                left.stays.append(f"The coupon {row.coupon_code}: an order has used it.")
            elif ids[row.id] in cleared.kept:
                left.remains.append(f"The coupon {row.coupon_code}.")
        _forget(services, [number for number, coupon in ids.items() if coupon not in cleared.kept])
        last = rows[-1].id


def _with_coupon(connector_id: int) -> Any:
    return (Cart.connector_id == connector_id) & (Cart.coupon_id.is_not(None) | (Cart.coupon_code != ""))


def _next(services: Services, connector_id: int, last: int) -> Sequence[Any]:
    columns = select(Cart.id, Cart.coupon_id, Cart.coupon_code)
    query = columns.where(_with_coupon(connector_id), Cart.id > last).order_by(Cart.id).limit(BATCH_MAX)
    with services.db.read() as session:
        return session.execute(query).all()


def _codes(services: Services, connector_id: int) -> Sequence[str]:
    query = select(Cart.coupon_code).where(_with_coupon(connector_id)).order_by(Cart.id)
    with services.db.read() as session:
        return session.scalars(query).all()


def _forget(services: Services, cart_ids: Sequence[int]) -> None:
    """Note what is settled, so that another try begins behind it."""
    mine = update(Cart).where(Cart.id.in_(cart_ids))
    with services.db.write() as session:
        session.execute(mine.values(coupon_id=None, coupon_code="", coupon_until=None))
