"""A shop that asks for consent: customers who give or withdraw it, and what is known of it at both ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.events import Origin
from integration.models import ConsentEntry, Delivery
from integration.pipeline.ingest import records
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.contact import Contact
from integration.store import parse
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]
KEY, BOX = "newsletter_consent", "checkout_news"
EMAIL = "ada@example.com"
OURS = "No marketing consent at 127.0.0.1 (woo-mautic)"


def road_with(make_road: MakeRoad, **settings: Any) -> Road:
    usual = {
        "consent__enabled": True,
        "consent__customer_field": KEY,
        "consent__order_field": BOX,
        "sync__proof_every": 1,
    }
    return make_road(SetClock(NOON), **{**usual, **settings})


def meta(key: str, value: Any) -> dict[str, Any]:
    return {"meta_data": [{"key": key, "value": value}]}


def profile(road: Road, customer: dict[str, Any]) -> Delivery:
    """A customer was saved in the shop, and a webhook said so."""
    now = road.services.clock.now()
    with road.services.db.write() as session:
        change = parse.customer_change(customer, Origin.WEBHOOK, now, created=False)
        records.accept(session, now, road.connector_id, [change])
    road.work()
    return road.deliveries()[-1]


def register(road: Road, value: Any = None, email: str = EMAIL) -> dict[str, Any]:
    more = {} if value is None else meta(KEY, value)
    made = road.store.shop.register_customer(email=email, first_name="Ada", **more)
    profile(road, made)
    return made


def choose(road: Road, customer: dict[str, Any], value: Any, **fields: Any) -> Delivery:
    road.store.shop.edit_customer(customer["id"], **meta(KEY, value), **fields)
    with road.store.state.lock:
        # A minute after whatever was before it: the test is quicker than the store's seconds.
        road.store.state.people[customer["id"]].modified = int(time.time()) + 60 * len(road.deliveries())
    (shown,) = (each for each in road.store.shop.customers if each["id"] == customer["id"])
    return profile(road, shown)


def barred(contact: Contact) -> list[tuple[int, str]]:
    return [(entry["reason"], entry["comments"]) for entry in contact.dnc if entry["channel"] == "email"]


def bar(road: Road, contact: Contact, reason: int, comment: str = "") -> None:
    """Somebody unsubscribes, or an e-mail bounces, in Mautic."""
    with road.mautic.state.lock:
        road.mautic.context.writer.add_dnc(contact, "email", reason, comment)


def ledger(road: Road) -> list[tuple[str, str, str]]:
    with road.services.db.read() as session:
        rows = session.scalars(select(ConsentEntry).order_by(ConsentEntry.id)).all()
    return [(row.state, row.source, row.ref) for row in rows]


def actions(road: Road) -> list[str]:
    return [entry.action for entry in road.log()]


@pytest.fixture(params=["5.2.0", "7.0.0"])
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=request.param) as server:
        yield server
