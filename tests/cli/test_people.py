"""Carts and subscriptions by commands, as on their pages."""

from __future__ import annotations

import pytest

from integration.cli import console
from integration.identity import person_key_of
from integration.models import Cart, Subscription
from integration.models.cart import CartState
from tests.cart_rows import ANNA, keep
from tests.cli.conftest import Run


@pytest.fixture
def cart(quick: Run, connected: str) -> str:
    with console.opened() as services, services.db.write() as session:
        now = services.clock.now()
        consent = {"source": "box", "wording": "Remind me.", "at": now.isoformat(), "draft_id": None}
        made = keep(session, int(connected), now, state=CartState.EXPIRED, consent=consent, total="12.50")
        keep(session, int(connected), now, email="bob@example.com", state=CartState.BOUGHT)
        return str(made.id)


@pytest.fixture
def subscription(quick: Run, connected: str) -> str:
    with console.opened() as services, services.db.write() as session:
        row = Subscription(
            connector_id=int(connected),
            state="sent",
            email=ANNA,
            person_key=person_key_of(ANNA),
            consent_text="Write to me.",
            source="page",
            created_at=services.clock.now(),
        )
        session.add(row)
        session.flush()
        return str(row.id)


def newest(quick: Run) -> tuple[str, str]:
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    return entry["action"], entry["entity"]


def test_carts_are_listed_and_shown(quick: Run, connected: str, cart: str) -> None:
    assert [row["state"] for row in quick("carts", "list", connected, "--json").json] == ["bought", "expired"]
    [row] = quick("carts", "list", connected, f"--email={ANNA}", "--json").json
    assert (str(row["id"]), row["total"]) == (cart, "12.50")
    assert "2 carts." in quick("carts", "list", connected).out
    shown = quick("carts", "show", cart, "--json").json
    assert (shown["consent"]["wording"], shown["why_not_sendable"], shown["story"]) == ("Remind me.", "", [])
    assert "consent: source box; wording Remind me." in quick("carts", "show", cart).out
    for option in ("--state=odd", "--email=", "--size=0"):
        assert quick("carts", "list", connected, option).code == 2, option


def test_a_cart_is_sent_again_only_where_it_may(quick: Run, cart: str) -> None:
    assert quick("carts", "send", cart).code == 0
    assert newest(quick) == ("REPLAYED", f"cart {cart}")
    assert "A person had it sent again." in quick("carts", "show", cart).out
    with console.opened() as services, services.db.read() as session:
        assert session.get_one(Cart, int(cart)).state == CartState.ABANDONED
    bought, nobody = quick("carts", "send", str(int(cart) + 1)), quick("carts", "send", "77")
    assert (bought.code, "Nobody agreed to be reminded" in bought.err) == (1, True)
    assert (nobody.code, "There is no cart 77." in nobody.err) == (1, True)


def test_a_cart_is_forgotten_after_a_question(quick: Run, cart: str) -> None:
    assert quick("carts", "forget", cart).code == 2
    assert quick("carts", "forget", cart, "--yes").out == f"Cart {cart} is forgotten.\n"
    assert newest(quick) == ("DELETED", f"cart {cart}")
    assert quick("carts", "show", cart).code == 1


def test_subscriptions_are_listed_shown_and_forgotten(quick: Run, connected: str, subscription: str) -> None:
    [row] = quick("subscriptions", "list", connected, "--state=sent", "--json").json
    assert row["email"] == ANNA
    assert quick("subscriptions", "list", connected, "--state=pending", "--json").json == []
    assert quick("subscriptions", "show", subscription, "--json").json["consent_text"] == "Write to me."
    assert quick("subscriptions", "forget", subscription).code == 2
    assert quick("subscriptions", "forget", subscription, "--yes").code == 0
    assert newest(quick) == ("DELETED", f"subscription {subscription}")
    gone = quick("subscriptions", "show", subscription)
    assert (gone.code, "There is no subscription" in gone.err) == (1, True)
