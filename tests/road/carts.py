"""A shop whose carts are left: what a test of them stands on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from integration.carts import announcing, detection, leftovers
from integration.carts.capture import capture
from integration.carts.captured import Captured
from integration.clock import Clock
from integration.models import Cart, CartEvent, Connector
from integration.sandbox.store import demo_catalogue
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]


class Ahead(Clock):
    """The real clock, moved on by hand."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead

    def advance(self, **parts: float) -> None:
        self.ahead += timedelta(**parts)


def switched_on(make_road: MakeRoad, clock: Clock | None = None, **settings: Any) -> Road:
    """A road that takes carts to Mautic, with the fields made."""
    usual = {"carts__enabled": True, "carts__create_fields": True, "sync__proof_every": 0}
    return make_road(clock, **{**usual, **settings})


def carts_on(make_road: MakeRoad, clock: Clock | None = None, **settings: Any) -> Road:
    """A road with products in the shop, carts captured without asking and left after a minute, the import done."""
    road = switched_on(make_road, clock, **{"carts__timeout": 1, "carts__silent": True, **settings})
    demo_catalogue.stock(road.store.state)
    with road.services.db.write() as session:
        session.execute(update(Connector).values(initial_done_at=road.services.clock.now()))
    return road


def product(road: Road, name: str = "Hōjicha") -> dict[str, Any]:
    """A product of the shop."""
    return next(each for each in road.store.state.products.values() if each["name"] == name)


def leave(road: Road, *emails: str, items: Any = None, minutes: float = 2, **values: Any) -> None:
    """Let shoppers leave carts with a tea and a shirt, so many minutes ago."""
    shirt = next(each for each in road.store.state.products.values() if each["type"] == "variation")
    usual = [{"id": product(road)["id"], "qty": 2}, {"id": shirt["id"], "qty": 1}]
    at = road.services.clock.now() - timedelta(minutes=minutes)
    with road.services.db.write() as session:
        module = road.services.modules(session.get_one(Connector, road.connector_id)).carts
        for email in emails or ("anna@shop.example",):
            key = f"{email:_<16}".replace("@", "-").replace(".", "-")[:40]
            state = {"cart": key, "n": 1, "email": email, "items": usual if items is None else items, **values}
            capture(session, at, road.connector_id, module, Captured.model_validate(state))


def tick(road: Road) -> None:
    """Look for what was left and make it ready, and take away what is left of carts, as the clock does."""
    detection.tick(road.services)
    announcing.tick(road.services)
    leftovers.tick(road.services)


def rows(road: Road) -> list[Cart]:
    with road.services.db.read() as session:
        return list(session.scalars(select(Cart).order_by(Cart.id)))


def one(road: Road, number: int) -> Cart:
    with road.services.db.read() as session:
        return session.get_one(Cart, number)


def only(road: Road) -> Cart:
    (cart,) = rows(road)
    return cart


def story(road: Road) -> list[str]:
    with road.services.db.read() as session:
        return list(session.scalars(select(CartEvent.text).order_by(CartEvent.id)))


def asked(road: Road, *parts: str) -> list[str]:
    """The calls to the shop whose path has one of the parts, as "GET path"."""
    return [f"{c.method} {c.path}" for c in road.store.calls if any(part in c.path for part in parts)]


def coupons(road: Road) -> list[dict[str, Any]]:
    """The recovery coupons that the shop has."""
    return [each for each in road.store.state.coupons.values() if each["code"].upper().startswith("RECOVER-")]


def tagged(road: Road, tag: str = "abandoned_cart") -> set[str]:
    """The addresses in Mautic that have a tag."""
    contacts = road.mautic.state.contacts.values()
    return {str(each.values.get("email")) for each in contacts if tag in road.mautic.state.tag_names(each)}
