"""Carts that programs send: they wait until they count as left, and keep nobody without a yes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from integration.inbound.bodies import CART_EXAMPLE
from integration.models import Cart, CartState
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.inbound.conftest import Send


def test_a_cart_waits_until_it_counts_as_left(send: Send, follow: Any, services: Services, connector_id: int) -> None:
    pairs.configure(services, connector_id, {"carts.enabled": "yes"})
    answer = send("carts", CART_EXAMPLE)
    [item] = answer.json["items"]
    told = follow(item["url"]).json
    assert (told["state"], told["kind"], told["id"]) == ("waiting", "abandoned_cart", "app-9f3c")
    assert "nothing has changed for" in told["reason"]
    with services.db.read() as session:
        [cart] = session.scalars(select(Cart))
    assert (cart.key, cart.source, cart.state, cart.email) == ("api:app-9f3c", "api", "active", "ada@example.com")
    assert cart.consent and (cart.consent["source"], cart.consent["wording"]) == (
        "api",
        "Remind me of my cart by e-mail.",
    )
    assert cart.items and (cart.items[0]["id"], cart.items[0]["line"]["total"]) == (12, "25.00")


def test_a_cart_without_a_yes_keeps_nothing_of_the_person(
    send: Send, follow: Any, services: Services, connector_id: int
) -> None:
    pairs.configure(services, connector_id, {"carts.enabled": "yes"})
    without = {name: value for name, value in CART_EXAMPLE.items() if name != "consent"}
    assert list(send("carts", without).json["fields"]) == ["consent"]
    send("carts", CART_EXAMPLE)
    [item] = send("carts", CART_EXAMPLE | {"consent": {"given": False}}).json["items"]
    with services.db.read() as session:
        [cart] = session.scalars(select(Cart))
    assert (cart.state, cart.email, cart.items, cart.person_key) == (CartState.NO_CONSENT, "", None, "")
    told = follow(item["url"]).json
    assert (told["state"], told["error"]) == ("skipped", "no_consent")


def test_an_older_state_of_a_cart_changes_nothing(send: Send, services: Services, connector_id: int) -> None:
    pairs.configure(services, connector_id, {"carts.enabled": "yes"})
    send("carts", CART_EXAMPLE)
    send("carts", CART_EXAMPLE | {"email": "old@example.com", "date_modified_gmt": "2020-01-01T00:00:00"})
    with services.db.read() as session:
        [cart] = session.scalars(select(Cart))
    assert cart.email == "ada@example.com"


def test_carts_are_refused_while_they_are_switched_off(send: Send) -> None:
    answer = send("carts", CART_EXAMPLE)
    assert (answer.status_code, answer.json["error"]) == (409, "carts_off")
