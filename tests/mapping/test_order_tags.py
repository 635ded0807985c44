"""Which product tags an order takes away: what no other order holds, and former spellings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integration.mapping import orders
from integration.records import LineItem, OtherOrder
from integration.settings import Modules
from tests.mapping import samples
from tests.mapping.order_plans import modules, planned

MUG, CUP = LineItem("Mug", 1, sku="M"), LineItem("Cup", 2)
REMOVING = modules(remove_completed_tag=True, statuses=("completed", "refunded"))


def undone(others: list[OtherOrder], *, status: str = "refunded", settings: Modules = REMOVING) -> set[str]:
    order = replace(samples.order("refund_full"), status=status, items=(MUG, CUP))
    made = planned(order, settings, known=True, history=orders.History(others))
    return {tag for tag in made.contact.tags if tag.startswith("-")}


@pytest.mark.parametrize("status", ["refunded", "cancelled"])
@pytest.mark.parametrize(
    ("others", "gone"),
    [
        ([], {"-m_completed", "-cup_completed"}),
        ([OtherOrder("completed", (MUG,))], {"-cup_completed"}),
        ([OtherOrder("completed", (CUP,)), OtherOrder("completed", (MUG,))], set()),
        ([OtherOrder("processing", (MUG, CUP)), OtherOrder("refunded", (MUG,))], {"-m_completed", "-cup_completed"}),
        ([OtherOrder("completed", ())], {"-m_completed", "-cup_completed"}),
        ([OtherOrder("completed", None)], set()),
        ([OtherOrder("refunded", None)], {"-m_completed", "-cup_completed"}),
    ],
)
def test_p37_a_completed_tag_stays_while_another_completed_order_holds_the_product(
    status: str, others: list[OtherOrder], gone: set[str]
) -> None:
    assert undone(others, status=status) == gone


def test_p37_products_are_compared_as_they_stand_in_tags() -> None:
    settings = modules(remove_completed_tag=True, product_id_tags=True)
    assert undone([OtherOrder("completed", (LineItem("Cup", 3),))], settings=settings) == {
        *("-m_completed", "-2_cup_completed"),
    }


GIFT = LineItem("Gift card €50")


def respelt(*given: str, others: tuple[OtherOrder, ...] = (), items: tuple[LineItem, ...] = (GIFT,)) -> tuple[str, ...]:
    order = replace(samples.order("no_items"), items=items)
    return planned(order, history=orders.History(others, frozenset(given))).contact.tags


def test_a_tag_in_its_former_spelling_goes_when_the_new_one_comes() -> None:
    assert respelt() == ("gift-card-e50_completed",)
    assert respelt("gift-card-50_completed") == ("gift-card-e50_completed", "-gift-card-50_completed")
    assert respelt("gift-card-50_processing") == ("gift-card-e50_completed",)


def test_a_former_spelling_that_is_another_products_own_tag_stays() -> None:
    plain = LineItem("Gift card 50")
    assert "-gift-card-50_completed" not in respelt("gift-card-50_completed", items=(GIFT, plain))
    others = (OtherOrder("processing", (plain,)), OtherOrder("completed", None))
    assert respelt("gift-card-50_completed", others=others) == ("gift-card-e50_completed",)


def test_a_refund_takes_the_former_spelling_too() -> None:
    order = replace(samples.order("refund_full"), items=(GIFT,))
    history = orders.History(given={"gift-card-50_completed"})
    tags = planned(order, modules(remove_completed_tag=True), history=history).contact.tags
    assert tags == ("gift-card-e50_refunded", "-gift-card-e50_completed", "-gift-card-50_completed")


def test_a_german_shop_writes_its_umlauts_as_wordpress_does_there() -> None:
    order = replace(samples.order("no_items"), items=(LineItem("Käse"),))
    history = orders.History(given={"kase_completed"})
    tags = planned(order, shop=orders.Shop(locale="de_DE"), history=history).contact.tags
    assert tags == ("kaese_completed", "-kase_completed")
