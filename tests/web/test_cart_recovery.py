"""The link of a reminder: where it leads in which shop, what it counts, and what a wrong one gets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration.clock import SetClock
from integration.models import Cart, CartEvent, Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed
from tests import cart_rows
from tests.web.conftest import BROWSER, SHOP, Person, text_of

UTM = {"utm_source": ["mautic"], "utm_medium": ["email"], "utm_campaign": ["cart-1"]}
ITEM = {"id": 13, "qty": 2.0, "variation": []}
FREE = {"id": 51, "qty": 1.0, "variation": [["Colore", "blu"]]}
Make = Callable[..., str]


@pytest.fixture
def make(services: Services, connector_id: int, clock: SetClock) -> Make:
    """Adds a cart to a shop of a version and returns the path of its link."""

    def made(version: str = "9.9.5", url: str = SHOP, settings: dict[str, Any] | None = None, **values: Any) -> str:
        pairs.connect(services, connector_id, store_url=url)
        pairs.configure(services, connector_id, {"carts.enabled": True, **(settings or {})})
        given = {"key": "k" * 24, "sequence": 3, "source": "order", "items": [ITEM]} | values
        with services.db.write() as session:
            connector = session.get_one(Connector, connector_id)
            connector.store_facts = {"version": version}
            return cart_rows.link(services, cart_rows.keep(session, connector_id, clock.now(), **given))

    return made


def click(visitor: Person, path: str, method: str = "GET", **headers: str) -> TestResponse:
    return visitor.client.open(path, method=method, headers={**BROWSER, **headers})


def led(answer: TestResponse) -> tuple[str, dict[str, list[str]], str]:
    """Where an answer leads: address, arguments, fragment."""
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query), parts.fragment


def cart(services: Services) -> Cart:
    with services.db.read() as session:
        return session.scalars(select(Cart)).one()


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
    ("version", "items", "place", "more"),
    [
        ("9.9.5", [ITEM], "/checkout/", {"add-to-cart": ["13"], "quantity": ["2"]}),
        (
            "9.9.5",
            [FREE],
            "/checkout/",
            {
                "add-to-cart": ["51"],
                "quantity": ["1"],
                "attribute_colore": ["blu"],
                "attribute_pa_colore": ["blu"],
            },
        ),
        ("9.9.5", [ITEM, FREE], "/cart/", {"add-to-cart": ["13"], "quantity": ["2"]}),
        ("", [ITEM], "/checkout/", {"add-to-cart": ["13"], "quantity": ["2"]}),
        ("9.9.5", None, "/shop/", {}),
        ("10.5.0", [], "/shop/", {}),
    ],
)
def test_without_our_script_an_older_shop_gets_an_address_that_adds(
    visitor: Person, make: Make, version: str, items: Any, place: str, more: dict[str, list[str]]
) -> None:
    assert led(click(visitor, make(version, items=items))) == (f"{SHOP}{place}", UTM | more, "")


@pytest.mark.parametrize("source", ["script", "order"])
def test_a_shop_with_a_checkout_of_its_own_name_is_led_there(visitor: Person, make: Make, source: str) -> None:
    path = make(source=source, items=[ITEM], page="/it/cassa/")
    assert led(click(visitor, path))[0] == f"{SHOP}/it/cassa/"


def test_a_script_that_is_switched_off_brings_nothing_back(visitor: Person, make: Make) -> None:
    path = make(source="script", settings={"carts.enabled": False})
    assert led(click(visitor, path)) == (f"{SHOP}/checkout/", UTM | {"add-to-cart": ["13"], "quantity": ["2"]}, "")


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        server.state.version = "10.5.0"
        seed(server.state, customers=1, orders=0)
        yield server


def simple(store: StoreServer) -> int:
    return next(n for n, p in store.state.products.items() if p["type"] == "simple" and p["stock_status"] == "instock")


def test_a_newer_shop_gets_a_cart_that_we_have_filled(visitor: Person, make: Make, store: StoreServer) -> None:
    items = [{"id": simple(store), "qty": 2.0, "variation": []}, {"id": 999_999, "qty": 1.0, "variation": []}]
    place, query, _ = led(click(visitor, make("10.5.0", store.url, items=items)))
    assert place == f"{store.url}/checkout/"
    assert query.pop("session")
    assert query == UTM
    [held] = [session for session in store.state.sessions.values() if session.items]
    assert [(item.product_id, item.quantity) for item in held.items.values()] == [(simple(store), 2)]


def test_a_newer_shop_that_has_nothing_left_of_it_shows_its_shop(
    visitor: Person, make: Make, store: StoreServer
) -> None:
    path = make("10.5.0", store.url, items=[{"id": 999_999, "qty": 1.0, "variation": []}])
    assert led(click(visitor, path))[0] == f"{store.url}/shop/"


def test_a_shopper_does_not_wait_for_a_shop_that_hangs(
    visitor: Person, make: Make, store: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.carts.destinations.STORE_WITHIN_S", 0.5)
    store.faults.delay(2)
    path = make("10.5.0", store.url)
    began = time.monotonic()
    assert led(click(visitor, path))[0] == f"{store.url}/shop/"
    assert time.monotonic() - began < 1.5


def test_a_shop_that_is_down_is_left_to_itself(visitor: Person, make: Make) -> None:
    assert led(click(visitor, make("10.5.0", "http://127.0.0.1:9")))[0] == "http://127.0.0.1:9/shop/"


@pytest.mark.parametrize(
    "values",
    [{"state": state} for state in ("bought", "recovered", "expired", "no_consent")] + [{"bought_order_id": 70}],
)
def test_a_cart_that_is_over_leads_to_the_shop(
    visitor: Person, make: Make, services: Services, values: dict[str, Any]
) -> None:
    assert led(click(visitor, make(**values))) == (f"{SHOP}/shop/", UTM, "")
    assert cart(services).opens == 0


def test_the_link_of_a_cart_that_gave_way_leads_to_the_newer_one(
    visitor: Person, make: Make, services: Services
) -> None:
    path = make(state="expired", reason="superseded", items=[FREE])
    with services.db.write() as session:
        one = session.scalars(select(Cart)).one()
        newer = cart_rows.keep(session, one.connector_id, services.clock.now(), source="order", items=[ITEM])
    _, query, _ = led(click(visitor, path))
    assert (query["add-to-cart"], query["utm_campaign"]) == (["13"], [f"cart-{newer.id}"])


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


def test_a_mail_scanner_makes_no_cart_in_the_shop(visitor: Person, make: Make, store: StoreServer) -> None:
    path = make("10.5.0", store.url, items=[{"id": simple(store), "qty": 1.0, "variation": []}])
    assert led(click(visitor, path, "HEAD"))[0] == f"{store.url}/shop/"
    assert store.state.sessions == {}


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
