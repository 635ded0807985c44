"""What is kept of a cart: its last state, under a consent, and nothing of an older or a withdrawn one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.carts.capture import Taken, capture
from integration.carts.captured import Captured
from integration.clock import SetClock
from integration.models import Cart, CartState
from integration.pipeline.ingest.cart_keeping import ITEMS_MAX, ORDER, ORDER_KEY, begin, keep
from integration.settings import CartModule
from tests.conftest import NOON

KEY = "k" * 20
BOX = CartModule(enabled=True)
SILENT = CartModule(enabled=True, silent=True)
TICKED = {"ticked": True, "text": "Remind me."}


def state(n: int = 1, **values: Any) -> Captured:
    given = {"cart": KEY, "n": n, "email": "anna@shop.example", "items": [{"id": 13, "qty": 1}], "consent": TICKED}
    return Captured.model_validate(given | values)


def take(session: Session, state: Captured, module: CartModule = BOX, minutes: int = 0) -> Taken:
    return capture(session, NOON + timedelta(minutes=minutes), 1, module, state)


def only(session: Session) -> Cart:
    return session.scalars(select(Cart)).one()


def test_a_cart_is_kept_with_the_wording_that_was_agreed_to(session: Session) -> None:
    assert take(session, state(draft=7)) is Taken.KEPT
    cart = only(session)
    assert (cart.email, cart.state, cart.order_id) == ("anna@shop.example", CartState.ACTIVE, 7)
    assert cart.items == [{"id": 13, "qty": 1.0, "variation": []}]
    assert cart.consent is not None
    assert (cart.consent["source"], cart.consent["wording"], cart.consent["draft_id"]) == ("box", "Remind me.", 7)


def test_an_identical_state_is_seen_and_does_not_count_as_a_change(session: Session) -> None:
    take(session, state())
    assert take(session, state(2), minutes=5) is Taken.SAME
    assert only(session).changed_at == NOON
    assert only(session).seen_at == NOON + timedelta(minutes=5)
    assert take(session, state(3, email="ANNA@shop.example"), minutes=6) is Taken.SAME
    assert take(session, state(4, items=[{"id": 13, "qty": 2}]), minutes=7) is Taken.KEPT
    assert only(session).changed_at == NOON + timedelta(minutes=7)


@pytest.mark.parametrize("n", [1, 2])
def test_a_state_that_is_overtaken_or_sent_again_changes_nothing(session: Session, n: int) -> None:
    take(session, state(2, email="anna@shop.example"))
    assert take(session, state(n, email="anna@shop.exampl"), minutes=1) is Taken.OVERTAKEN
    assert only(session).email == "anna@shop.example"


@pytest.mark.parametrize(
    ("module", "consent", "taken"),
    [
        (BOX, None, Taken.NO_CONSENT),
        (BOX, {"ticked": False}, Taken.NO_CONSENT),
        (BOX, TICKED, Taken.KEPT),
        (SILENT, None, Taken.KEPT),
        (CartModule(enabled=True, box=False), TICKED, Taken.OFF),
        (CartModule(enabled=False, silent=True), TICKED, Taken.OFF),
    ],
)
def test_the_matrix_of_consent(session: Session, module: CartModule, consent: Any, taken: Taken) -> None:
    assert take(session, state(consent=consent), module) is taken
    assert [cart.email for cart in session.scalars(select(Cart))] == (["anna@shop.example"] if taken == "kept" else [])


def test_a_consent_that_is_taken_back_leaves_nothing_of_the_person(session: Session) -> None:
    take(session, state())
    assert take(session, state(2, consent={"ticked": False}), minutes=1) is Taken.NO_CONSENT
    cart = only(session)
    assert (cart.state, cart.email, cart.person_key, cart.items, cart.consent) == ("no_consent", "", "", None, None)
    assert take(session, state(3), minutes=2) is Taken.KEPT
    assert (only(session).state, only(session).email) == (CartState.ACTIVE, "anna@shop.example")


def test_an_address_that_is_emptied_is_forgotten_and_items_that_are_not_known_stay(session: Session) -> None:
    take(session, state())
    take(session, state(2, email="", items=None), minutes=1)
    assert (only(session).email, only(session).person_key) == ("", "")
    assert only(session).items == [{"id": 13, "qty": 1.0, "variation": []}]


def test_what_comes_after_the_end_is_a_new_cart(session: Session) -> None:
    take(session, state(5))
    only(session).state = CartState.RECOVERED
    assert take(session, state(5)) is Taken.OVERTAKEN
    assert take(session, state(6)) is Taken.KEPT
    assert [cart.state for cart in session.scalars(select(Cart).order_by(Cart.id))] == ["recovered", "active"]


def test_a_cart_that_changes_after_it_was_sent_is_active_again(session: Session) -> None:
    take(session, state())
    only(session).state = CartState.SYNCED
    take(session, state(2, items=[{"id": 14, "qty": 1}]), minutes=90)
    assert (only(session).state, only(session).changed_at) == ("active", NOON + timedelta(minutes=90))


def test_the_script_goes_on_with_the_cart_that_its_draft_has_begun(session: Session, clock: SetClock) -> None:
    drafted = begin(session, NOON, 1, ORDER_KEY.format(7), ORDER)
    keep(session, NOON, drafted, "anna@shop.exampl", None)
    take(session, state(draft=7), minutes=1)
    assert (only(session).key, only(session).source, only(session).email) == (KEY, "script", "anna@shop.example")


@pytest.mark.parametrize(
    "values",
    [
        {"cart": "short"},
        {"cart": "k" * 19 + "/"},
        {"n": 0},
        {"n": "1"},
        {"n": 2**63},
        {"email": "anna@"},
        {"email": "anna"},
        {"email": "a" * 250 + "@shop.example"},
        {"items": [{"id": 0, "qty": 1}]},
        {"items": [{"id": 13, "qty": 0}]},
        {"items": [{"id": 13, "qty": float("inf")}]},
        {"items": "13"},
        {"consent": {"ticked": "yes"}},
        {"draft": -1},
    ],
)
def test_what_no_checkout_sends_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        state(**values)


@pytest.mark.parametrize(
    ("told", "page"),
    [
        ("/kasse/", "/kasse/"),
        ("/shop/it/cassa", "/shop/it/cassa"),
        ("//evil.example/", ""),
        ("https://evil.example/", ""),
        ("/a?b=c", ""),
        ("/a\\b", ""),
        ("/" + "a" * 300, ""),
        ("", ""),
    ],
)
def test_the_checkout_is_a_path_of_the_shop_or_not_known(session: Session, told: str, page: str) -> None:
    take(session, state(page=told))
    assert only(session).page == page


def test_a_cart_of_ten_thousand_lines_is_kept_without_the_rest() -> None:
    items = state(items=[{"id": number, "qty": 1} for number in range(1, 10_001)]).items
    assert items is not None
    assert len(items) == ITEMS_MAX
