"""The link of a reminder: what the script gets by it, what it counts, and what a wrong one gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import Cart, CartEvent, Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests import cart_rows
from tests.web.conftest import SHOP, Person, text_of
from tests.web.recovery.conftest import FREE, ITEM, UTM, Make, cart, click, led


def test_with_our_script_the_shops_checkout_gets_a_code_for_the_cart(
    visitor: Person, make: Make, connector: Callable[[], Connector], clock: SetClock
) -> None:
    path = make(source="script", items=[ITEM, FREE], coupon_code="RECOVER-1")
    answer = click(visitor, path)
    place, query, fragment = led(answer)
    assert (place, query) == (f"{SHOP}/checkout/", UTM)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    name, _, code = fragment.partition("=")
    assert name == "woo-mautic-cart"
    url = f"/carts/{connector().cart_key}/restore/{code}"
    back = visitor.client.get(url, headers={"Origin": SHOP})
    assert back.headers["Access-Control-Allow-Origin"] == SHOP
    assert back.json == {
        "items": [
            {"id": 13, "quantity": 2},
            {"id": 51, "quantity": 1, "variation": [{"attribute": "Colore", "value": "blu"}]},
        ],
        "email": "anna@shop.example",
        "coupon": "RECOVER-1",
        "checkout": f"{SHOP}/checkout/?utm_source=mautic&utm_medium=email&utm_campaign=cart-1",
        "notice": "Some items of your cart are no longer available.",
        "cart": "k" * 24,
        "n": 3,
    }
    assert visitor.client.get(url, headers={"Origin": "https://evil.example"}).status_code == 403
    assert visitor.client.get(url).status_code == 403
    assert visitor.client.get(f"{url}x", headers={"Origin": SHOP}).status_code == 404
    assert visitor.client.get(f"/carts/nobody/restore/{code}", headers={"Origin": SHOP}).status_code == 404
    clock.advance(minutes=16)
    assert visitor.client.get(url, headers={"Origin": SHOP}).status_code == 404


def test_a_code_serves_no_other_shop_and_no_coupon_that_has_expired(
    visitor: Person, make: Make, services: Services, connector: Callable[[], Connector], clock: SetClock
) -> None:
    path = make(source="script", coupon_code="OLD", coupon_until=clock.now() - timedelta(days=1))
    code = led(click(visitor, path))[2].partition("=")[2]
    other = pairs.create(services, organisation_id=2, name="Other", store_url=SHOP)
    with services.db.read() as session:
        theirs = session.get_one(Connector, other).cart_key
    assert visitor.client.get(f"/carts/{theirs}/restore/{code}", headers={"Origin": SHOP}).status_code == 404
    back = visitor.client.get(f"/carts/{connector().cart_key}/restore/{code}", headers={"Origin": SHOP})
    assert back.json is not None
    assert back.json["coupon"] == ""


@pytest.mark.parametrize(
    "values",
    [{"state": state} for state in ("bought", "recovered", "expired", "no_consent")],
)
def test_a_cart_that_is_over_leads_to_the_shop(
    visitor: Person, make: Make, services: Services, values: dict[str, Any]
) -> None:
    assert led(click(visitor, make(**values))) == (f"{SHOP}/shop/", UTM, "")
    assert cart(services).opens == 0


def test_a_cart_that_is_older_than_carts_are_kept_leads_to_the_shop(
    visitor: Person, make: Make, clock: SetClock
) -> None:
    path = make()
    clock.advance(days=90)
    assert led(click(visitor, path))[0] == f"{SHOP}/checkout/"
    clock.advance(seconds=1)
    assert led(click(visitor, path))[0] == f"{SHOP}/shop/"


@pytest.mark.parametrize("token", ["A" * 32, "short", "a/b/c", "ä" * 32, "A" * 5000])
def test_a_link_that_nobody_has_says_that_it_has_expired(visitor: Person, make: Make, token: str) -> None:
    make()
    answer = click(visitor, f"/recover/{token}")
    assert answer.status_code == 404
    assert "This link has expired" in text_of(answer)
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_opens_are_counted_and_the_first_is_told(
    visitor: Person, make: Make, services: Services, clock: SetClock
) -> None:
    path = make()
    click(visitor, path)
    clock.advance(seconds=60)
    click(visitor, path)
    kept = cart(services)
    assert (kept.opens, kept.opened_at, kept.state) == (2, clock.now(), "synced")
    with services.db.read() as session:
        assert session.scalars(select(CartEvent.text)).all() == ["The link was opened."]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"User-Agent": ""}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (Windows NT 5.1) GoogleImageProxy"}),
        ("GET", {"User-Agent": "python-requests/2.32"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
    ],
)
def test_who_only_looks_at_a_link_is_not_counted(
    visitor: Person, make: Make, services: Services, method: str, headers: dict[str, str]
) -> None:
    answer = click(visitor, make(), method, **headers)
    assert led(answer)[0].startswith(SHOP)
    assert (cart(services).opens, cart(services).opened_at) == (0, None)


def test_a_flood_is_stopped(make_app: Callable[..., Flask], make: Make) -> None:
    person, path = Person(make_app(ratelimit=True).test_client()), make()
    answers = [click(person, path, "HEAD").status_code for _ in range(61)]
    assert (set(answers[:60]), answers[60]) == ({302}, 429)


def test_support_copies_the_link_and_a_viewer_does_not(
    support: Person, viewer: Person, make: Make, connector_id: int
) -> None:
    path, page = make(), f"/connectors/{connector_id}/carts/1"
    assert path in text_of(support.get(page))
    assert path not in viewer.get(page).text


def test_the_link_of_a_cart_that_gave_way_leads_to_the_newer_one(
    visitor: Person, make: Make, services: Services
) -> None:
    path = make(state="expired", reason="superseded", items=[FREE])
    with services.db.write() as session:
        one = session.scalars(select(Cart)).one()
        newer = cart_rows.keep(session, one.connector_id, services.clock.now(), source="order", items=[ITEM])
    _, query, _ = led(click(visitor, path))
    assert (query["add-to-cart"], query["utm_campaign"]) == (["13"], [f"cart-{newer.id}"])
