"""Who consents: the values that mean yes, and the newest word among accounts, orders and the subscribe form (P18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from integration.errors import MappingError
from integration.mapping import consent
from integration.mapping.consent import Consent, Standing
from integration.pipeline.consents import gate
from integration.plans import ContactWrite, DoNotContact, Plan, Skip
from integration.records import Address, Customer, Order
from integration.settings import ConsentModule

DAY = datetime(2026, 3, 1, tzinfo=UTC)
MODULE = ConsentModule(enabled=True, customer_field="news", order_field="box")
COMMENT = "No marketing consent at shop.example (woo-mautic)"


def said(state: str, source: str = "customer", day: int = 0, ref: str = "7", key: str | None = None) -> Consent:
    keys = {"customer": "news", "order": "box"}
    return Consent(
        state, source, ref, DAY + timedelta(days=day), "ada@example.com", keys.get(source, "") if key is None else key
    )


@pytest.mark.parametrize("value", ["1", "YES", " true ", "On", 1, True, ["yes"]])
def test_these_mean_yes(value: Any) -> None:
    assert consent.means_yes(value, MODULE.yes_values)


@pytest.mark.parametrize("value", [None, "", "0", "no", "off", False, 0, ["yes", "no"], {"a": 1}, "2", "yes, but"])
def test_these_do_not(value: Any) -> None:
    assert not consent.means_yes(value, MODULE.yes_values)


def test_own_values_take_the_place_of_the_usual_ones() -> None:
    assert consent.means_yes("Ja", ("ja",))
    assert not consent.means_yes("1", ("ja",))
    assert not consent.means_yes(True, ("ja",))


def customer(asked: dict[str, Any]) -> Customer:
    return Customer(7, "ada@example.com", created_at=DAY, asked=asked)


def order(asked: dict[str, Any], number: int = 9) -> Order:
    billing = Address(email="ada@example.com")
    return Order(
        number,
        str(number),
        "completed",
        "EUR",
        Decimal(5),
        billing,
        created_at=DAY,
        modified_at=DAY + timedelta(5),
        asked=asked,
    )


def test_a_record_read_without_the_key_says_nothing_and_is_no_refusal() -> None:
    with pytest.raises(MappingError, match="“news”") as unread:
        consent.of_customer(customer({}), "ada@example.com", MODULE, DAY)
    assert unread.value.code == "consent_unread"
    with pytest.raises(MappingError, match="“box”"):
        consent.of_order(order({}), MODULE, (), DAY)
    nothing = ConsentModule(enabled=True)
    assert consent.of_customer(customer({}), "", nothing, DAY) == ()
    assert consent.of_order(order({}), nothing, (), DAY) == ()


def test_an_order_consents_on_its_day_and_takes_it_back_when_it_is_changed() -> None:
    (given_,) = consent.of_order(order({"box": "1"}), MODULE, (), DAY)
    assert (given_.state, given_.at, given_.email) == ("given", DAY, "ada@example.com")
    (taken,) = consent.of_order(order({"box": None}), MODULE, [given_], DAY)
    assert (taken.state, taken.at) == ("withdrawn", DAY + timedelta(5))


@pytest.mark.parametrize(
    ("known", "now", "given_", "withdrawn", "new"),
    [
        ([], [], False, False, []),
        ([], [said("withdrawn")], False, False, []),
        ([], [said("given")], True, False, ["given"]),
        ([], [said("withdrawn"), said("given", "order")], True, False, ["given"]),
        ([said("given")], [said("given", day=3)], True, False, []),
        ([said("given")], [said("withdrawn", day=3)], False, True, ["withdrawn"]),
        ([said("given", day=3)], [said("withdrawn", day=1)], True, False, []),
        ([said("given"), said("withdrawn", day=3)], [said("given", "order", 1)], False, True, ["given"]),
        ([said("given"), said("withdrawn", day=3)], [said("given", "order", 4)], True, False, ["given"]),
        ([said("given", key="former_key")], [said("withdrawn")], False, False, []),
        ([said("given", "form", key="")], [said("withdrawn")], True, False, []),
        ([said("given", "cart", key="")], [], False, False, []),
        ([said("given"), said("unsubscribed", "mautic", 5)], [], True, False, []),
    ],
)
def test_the_newest_word_counts(
    known: list[Consent], now: list[Consent], given_: bool, withdrawn: bool, new: list[str]
) -> None:
    found = consent.standing(known, now, MODULE)
    assert (found.given, found.withdrawn, [each.state for each in found.new]) == (given_, withdrawn, new)


WORDS = st.builds(
    said,
    st.sampled_from(["given", "withdrawn"]),
    st.sampled_from(["customer", "order"]),
    st.integers(0, 30),
    st.sampled_from(["1", "2", "3"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=12), st.integers(0, 12))
def test_what_is_written_down_is_never_written_twice_and_changes_nothing(words: list[Consent], cut: int) -> None:
    first = consent.standing([], words, MODULE)
    again = consent.standing(first.new, words, MODULE)
    assert again.new == ()
    assert (again.given, again.withdrawn) == (first.given, first.withdrawn)
    # Records that come in two goes come to the same end where each place speaks in its order.
    ordered = sorted(words, key=lambda each: (each.at, each.state == "withdrawn"))
    half = consent.standing([], ordered[:cut], MODULE)
    rest = consent.standing(half.new, ordered[cut:], MODULE)
    whole = consent.standing([], ordered, MODULE)
    assert [*half.new, *rest.new] == list(whole.new)
    assert rest.given == whole.given


def test_the_skip_names_both_keys_and_the_page() -> None:
    skip = consent.skip(MODULE)
    assert skip.code == "no_consent"
    assert "“news” or “box”" in skip.sentence
    assert "Consent, “People without consent”" in skip.sentence


PLAN = Plan(ContactWrite("ada@example.com", {"firstname": "Ada"}))
BARRED, FREED = DoNotContact(True, COMMENT), DoNotContact(False, COMMENT)
NEVER, GIVEN, AGAIN, TAKEN = (
    Standing(),
    Standing(given=True),
    Standing(given=True, again=True),
    Standing(withdrawn=True),
)


@pytest.mark.parametrize(
    ("without", "standing", "confirmed", "expected"),
    [
        ("skip", NEVER, None, Skip),
        ("skip", NEVER, "", Skip),
        ("skip", GIVEN, None, None),
        ("skip", GIVEN, "", None),
        ("skip", GIVEN, "set", FREED),
        ("skip", AGAIN, "", FREED),
        ("skip", AGAIN, "clear", None),
        ("skip", TAKEN, None, Skip),
        ("skip", TAKEN, "", BARRED),
        ("skip", TAKEN, "clear", BARRED),
        ("skip", TAKEN, "set", Skip),
        ("dnc", NEVER, None, BARRED),
        ("dnc", NEVER, "set", BARRED),
        ("dnc", GIVEN, None, None),
        ("dnc", GIVEN, "", FREED),
        ("dnc", GIVEN, "clear", None),
        ("dnc", GIVEN, "set", FREED),
        ("dnc", TAKEN, "clear", BARRED),
    ],
)
def test_what_a_plan_comes_to(without: Any, standing: Standing, confirmed: str | None, expected: Any) -> None:
    module = MODULE.model_copy(update={"without": without})
    made = gate.passed(PLAN, standing, module, COMMENT, confirmed, "ada@example.com")
    if expected is Skip:
        assert isinstance(made, Skip)
        return
    assert isinstance(made, Plan)
    assert made.contact.do_not_contact == expected
    # Of somebody who is skipped nothing but the bar is written.
    assert bool(made.contact.fields) is not (without == "skip" and expected == BARRED)


@pytest.mark.parametrize(
    ("standing", "confirmed", "stops"), [(TAKEN, "", True), (TAKEN, "set", False), (NEVER, "", False)]
)
def test_a_withdrawal_reaches_mautic_by_a_record_that_is_skipped_otherwise(
    standing: Standing, confirmed: str, stops: bool
) -> None:
    skip = Skip("role", "Not synced.")
    made = gate.passed(skip, standing, MODULE, COMMENT, confirmed, "ada@example.com")
    assert made == (Plan(ContactWrite("ada@example.com", do_not_contact=BARRED)) if stops else skip)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"enabled": True}, ["consent.customer_field"]),
        ({"enabled": True, "order_field": "box", "yes_values": ()}, ["consent.yes_values"]),
        ({"write_back": True, "write_field": ""}, ["consent.write_field"]),
        (
            {"enabled": True, "customer_field": "news", "write_back": True, "write_field": "news"},
            ["consent.write_field"],
        ),
        ({"write_back": True, "read_back": False}, ["consent.read_back"]),
        ({"enabled": True, "customer_field": "news"}, []),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], named: Sequence[str]) -> None:
    assert [error.name for error in ConsentModule(**values).contradictions()] == named
