"""Addresses that add an item: once for each browser, and for nobody who only looks."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from integration.clock import SetClock
from integration.sandbox.store import StoreServer
from tests.web.conftest import SHOP, Person
from tests.web.recovery.conftest import FREE, ITEM, UTM, Make, click, led, simple


def adds(answer: TestResponse) -> bool:
    return "add-to-cart" in led(answer)[1]


@pytest.mark.parametrize(("items", "page"), [([ITEM], "/checkout/"), ([ITEM, FREE], "/cart/")])
def test_an_older_shop_gets_an_item_once_from_a_browser_however_often_the_link_is_opened(
    visitor: Person, make: Make, app: Flask, clock: SetClock, items: Any, page: str
) -> None:
    path = make(items=items)
    assert adds(click(visitor, path))
    clock.advance(hours=47)
    assert led(click(visitor, path)) == (f"{SHOP}{page}", UTM, "")
    # Another browser has a cart of its own; so has this one when the shop has thrown the first away.
    assert adds(click(Person(app.test_client()), path))
    clock.advance(hours=1)
    assert adds(click(visitor, path))


def test_what_is_added_is_remembered_for_each_cart_in_a_cookie_that_nobody_else_gets_or_makes(
    visitor: Person, make: Make, app: Flask
) -> None:
    first, second = make(), make(key="other" * 4)
    kept = click(visitor, first).headers["Set-Cookie"]
    assert all(part in kept for part in ("HttpOnly", "SameSite=Lax", "Path=/recover", "Max-Age=172800"))
    assert adds(click(visitor, second))
    assert not adds(click(visitor, first))
    assert not adds(click(visitor, second))
    for odd in ("nonsense", "W1sxLDE3OTU5OTQ2ODJdXQ.forged", ""):
        other = Person(app.test_client())
        other.client.set_cookie("woo-mautic-added", odd, path="/recover")
        assert adds(click(other, first))


@pytest.mark.parametrize("headers", [{"User-Agent": ""}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "curl/8"}])
def test_a_look_ahead_adds_nothing_and_is_not_taken_for_the_click(
    visitor: Person, make: Make, headers: dict[str, str]
) -> None:
    path = make()
    looked = click(visitor, path, **headers)
    assert not adds(looked)
    assert "Set-Cookie" not in looked.headers
    assert adds(click(visitor, path))


def test_only_an_address_that_adds_is_remembered(visitor: Person, make: Make, store: StoreServer) -> None:
    scripted = make(source="script")
    newer = make("10.5.0", store.url, key="other" * 4, items=[{"id": simple(store), "qty": 1.0, "variation": []}])
    for path in (scripted, newer, scripted, newer):
        assert "Set-Cookie" not in click(visitor, path).headers
