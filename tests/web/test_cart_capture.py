"""What a shop's pages send of carts: kept when it comes from the shop, in a known form, and with consent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration import shop_lines
from integration.carts import script
from integration.models import Cart, Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.settings import CartModule
from tests.web.conftest import SHOP, Person

STATE = {
    "cart": "A" * 24,
    "n": 1,
    "email": "anna@shop.example",
    "items": [{"id": 13, "qty": 2, "variation": []}],
    "consent": {"ticked": True, "text": "Remind me."},
}


@pytest.fixture
def path(services: Services, connector_id: int, connector: Callable[[], Connector]) -> str:
    pairs.connect(services, connector_id, store_url=SHOP)
    pairs.configure(services, connector_id, {"carts.enabled": True})
    return f"/carts/{connector().cart_key}"


def send(visitor: Person, path: str, body: Any = STATE, origin: str | None = SHOP, **headers: str) -> TestResponse:
    return visitor.beacon(path, body, origin, **headers)


def carts(services: Services) -> list[Cart]:
    with services.db.read() as session:
        return list(session.scalars(select(Cart)))


def test_a_beacon_of_the_shop_is_kept_and_may_be_read_there(visitor: Person, path: str, services: Services) -> None:
    answer = send(visitor, path)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert [(cart.email, cart.state) for cart in carts(services)] == [("anna@shop.example", "active")]


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", "https://evil.example", "http://shop.example", "https://shop.example:8443", "https://["],
)
def test_a_foreign_page_is_refused(visitor: Person, path: str, services: Services, origin: str | None) -> None:
    answer = send(visitor, path, origin=origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert carts(services) == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "body"),
        (b"{", 400, "body"),
        (b"[" * 50_000, 400, "body"),
        (b"[]", 422, "body"),
        ({**STATE, "n": "1"}, 422, "n"),
        ({**STATE, "email": "anna@"}, 422, "email"),
        ({**STATE, "items": [{"id": "13", "qty": 1}]}, 422, "items"),
        (b'{"cart": "' + b"x" * 70_000 + b'"}', 413, "body"),
    ],
)
def test_what_no_checkout_sends_is_told_by_its_field(
    visitor: Person, path: str, services: Services, body: Any, status: int, field: str
) -> None:
    answer = send(visitor, path, body)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"] == field
    assert carts(services) == []


def test_a_replayed_capture_changes_nothing(visitor: Person, path: str, services: Services) -> None:
    send(visitor, path, {**STATE, "n": 2})
    assert send(visitor, path, {**STATE, "email": "other@shop.example"}).status_code == 204
    assert [cart.email for cart in carts(services)] == ["anna@shop.example"]


@pytest.mark.parametrize("agent", ["", "Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)"])
def test_a_bot_is_thanked_and_not_kept(visitor: Person, path: str, services: Services, agent: str) -> None:
    assert send(visitor, path, **{"User-Agent": agent}).status_code == 204
    assert carts(services) == []


def test_a_key_that_nobody_has_is_not_found(visitor: Person, path: str) -> None:
    assert send(visitor, "/carts/nobody").status_code == 404
    assert visitor.client.get("/carts/nobody.js").text == script.OFF


def test_what_a_browser_asks_first_is_allowed_to_the_shop_alone(visitor: Person, path: str) -> None:
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    assert visitor.client.options(path, headers=asked).headers["Access-Control-Allow-Origin"] == SHOP
    assert visitor.client.options(path, headers=asked | {"Origin": "https://evil.example"}).status_code == 403


def test_the_script_is_small_and_of_its_source(visitor: Person, path: str) -> None:
    answer = visitor.client.get(f"{path}.js")
    assert answer.content_type.startswith("text/javascript")
    assert len(answer.data) < 6 * 1024
    assert path in answer.text
    assert shop_lines.PLACE not in answer.text
    made_of = hashlib.sha256(script.SOURCE.read_bytes()).hexdigest()[:16]
    assert script.MINIFIED.read_text(encoding="utf-8").startswith(f"/* {made_of} */"), "run `make script`"
    again = visitor.client.get(f"{path}.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("settings", [{"carts.enabled": False}, {"carts.box": False, "carts.silent": False}])
def test_where_nothing_is_captured_the_script_does_nothing(
    visitor: Person, path: str, services: Services, connector_id: int, settings: dict[str, Any]
) -> None:
    pairs.configure(services, connector_id, settings)
    assert visitor.client.get(f"{path}.js").text == script.OFF
    assert send(visitor, path).status_code == 204
    assert carts(services) == []


def test_a_wording_cannot_leave_its_quotes() -> None:
    module = CartModule(enabled=True, box_text="</script>'); system('x \\")
    assert "</script>" not in script.script(module, "https://our.example/carts/x")
    assert r"'label'    => '</script>\'); system(\'x \\'," in script.wordpress_snippet(
        module, "https://our.example/c.js"
    )
    assert "additional_checkout_field" not in script.wordpress_snippet(CartModule(silent=True), "https://our.example")


def test_a_flood_from_one_address_is_stopped(make_app: Callable[..., Flask], path: str, services: Services) -> None:
    person = Person(make_app(ratelimit=True).test_client())
    answers = [send(person, path, {**STATE, "n": number}).status_code for number in range(1, 244)]
    assert (set(answers[:240]), set(answers[240:])) == ({204}, {429})
