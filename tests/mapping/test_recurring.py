"""The tags of a person's subscriptions (P44): those of the statuses they are in stand, whatever they were before."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from integration.mapping import recurring
from integration.plans import Plan, Skip
from integration.records import LineItem, OtherOrder
from integration.settings import Modules

ON = Modules().with_value("orders.subscriptions", True)
BOX, TEA = LineItem("Box", 1, sku="Box"), LineItem("Tea for two", 2)
STATUSES = (*recurring.STATUSES, "pending", "switched", "trash")


def planned(*standing: OtherOrder, gave: set[str] = frozenset(), **more: object) -> Plan | Skip:  # type: ignore[assignment]
    options = {"given": gave, "of_orders": (), "known": True, **more}
    return recurring.plan("ada@example.com", ON, standing=standing, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "tags"),
    [
        (["active"], {"box_active", "tea-for-two_active"}),
        (["pending-cancel"], {"box_pending-cancel", "tea-for-two_pending-cancel"}),
        (["active", "expired"], {"box_active", "box_expired", "tea-for-two_active", "tea-for-two_expired"}),
    ],
)
def test_each_product_has_a_tag_of_each_status(statuses: list[str], tags: set[str]) -> None:
    made = planned(*(OtherOrder(status, (BOX, TEA)) for status in statuses))
    assert isinstance(made, Plan)
    assert set(made.contact.tags) == tags
    assert not made.contact.fields


def test_a_tag_that_an_order_gave_stays(status: str = "on-hold") -> None:
    made = planned(OtherOrder(status, (BOX,)), gave={"box_active", "box_cancelled"}, of_orders={"box_cancelled"})
    assert isinstance(made, Plan)
    assert set(made.contact.tags) == {"box_on-hold", "-box_active"}


def test_nothing_is_written_without_a_reason() -> None:
    assert planned(OtherOrder("pending", (BOX,))) is recurring.NO_TAG
    assert planned(gone=True) is recurring.REMOVED
    assert planned(OtherOrder("active", (BOX,)), gone=True, known=False) is recurring.REMOVED
    off = recurring.plan("a@b.example", Modules(), standing=(), given=(), of_orders=(), known=True)
    assert off is recurring.OFF
    nobody = recurring.plan(" ", ON, standing=[OtherOrder("active", (BOX,))], given=(), of_orders=(), known=True)
    assert nobody is recurring.NO_EMAIL


@given(st.lists(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3), min_size=1, max_size=8))
def test_what_stands_after_any_changes_is_what_the_last_statuses_give(changes: list[list[str]]) -> None:
    """Subscriptions change status in any order; the tags are those of a person who never had another status."""
    tags: set[str] = set()
    for statuses in changes:
        standing = [OtherOrder(status, (BOX,)) for status in statuses]
        made = planned(*standing, gave=tags)
        if isinstance(made, Plan):
            tags = {tag for tag in tags | set(made.contact.tags) if not tag.startswith("-")}
            tags -= {tag[1:] for tag in made.contact.tags if tag.startswith("-")}
    assert tags == {f"box_{status}" for status in changes[-1] if status in recurring.STATUSES}
