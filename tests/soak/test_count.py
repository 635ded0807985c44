"""The count of the soak sees what it is there for: whoever loses or doubles something is found out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.soak.count import Count
from tests.soak.shoppers import Shoppers
from tests.soak.troubles import Troubles

ORDER = {
    "id": 11,
    "number": "11",
    "status": "completed",
    "currency": "EUR",
    "total": "10.00",
    "refunds": [{"total": "-1.00"}],
    "billing": {"email": "SOAK1@example.com"},
    "date_created_gmt": "2026-11-20T12:00:00",
}
VALUES = {
    "email": "soak1@example.com",
    "mautic_woo_order_data": json.dumps({"order_id": 11, "status": "completed"}),
    "mautic_woo_total_spent": "9.0000",
    "mautic_woo_order_count": "1",
}
CONTACT = {"id": 5, "values": VALUES, "segments": {"1": "now"}, "history": [{"id": 1, "action": "manually added"}]}
MAIL = {"email_id": 1, "tokens": {"{order_id}": "11", "{status}": "completed"}}
RIGHT = {
    "store": {
        "orders": [ORDER],
        "accounts": [],
        "statuses": {"11": ["processing", "completed"]},
        "odd": [],
        "calls": 1,
    },
    "mautic": {
        "contacts": [CONTACT],
        "notes": {"1": {"text": "<p>[order 11 completed]</p>"}},
        "sent": [MAIL],
        "calls": 1,
    },
}


def kinds(facts: dict[str, Any], *, accounts: bool = False) -> set[str]:
    return {each.kind for each in Count(facts).differences(accounts=accounts)}


def test_a_world_in_which_all_is_right_has_no_differences() -> None:
    assert kinds(RIGHT, accounts=True) == set()


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda store, mautic: mautic["contacts"].append({**CONTACT, "id": 6}), "doubled"),
        (lambda store, mautic: mautic["contacts"].clear(), "lost"),
        (lambda store, mautic: mautic["notes"].update({"2": mautic["notes"]["1"]}), "doubled"),
        (lambda store, mautic: mautic["notes"].clear(), "lost"),
        (lambda store, mautic: mautic["sent"].append(MAIL), "doubled"),
        (lambda store, mautic: mautic["sent"].clear(), "lost"),
        (lambda store, mautic: mautic["contacts"][0]["segments"].clear(), "lost"),
        (lambda store, mautic: mautic["contacts"][0]["history"].append(CONTACT["history"][0]), "doubled"),  # type: ignore[index]
        (lambda store, mautic: mautic["contacts"][0]["values"].update(mautic_woo_order_count=2), "wrong"),
        (lambda store, mautic: mautic["contacts"][0]["values"].update(mautic_woo_total_spent="10"), "wrong"),
        (lambda store, mautic: mautic["contacts"][0]["values"].pop("mautic_woo_order_data"), "wrong"),
        (lambda store, mautic: store["statuses"].update({"11": ["processing"]}), "wrong"),
        (lambda store, mautic: store["orders"][0].update(status="trash"), "wrong"),
    ],
)
def test_whatever_is_lost_doubled_or_wrong_is_found(spoil: Callable[[Any, Any], None], kind: str) -> None:
    facts = copy.deepcopy(RIGHT)
    spoil(facts["store"], facts["mautic"])
    assert kind in kinds(facts)


def test_who_only_has_an_account_is_asked_for_once_a_full_sync_has_been() -> None:
    facts = copy.deepcopy(RIGHT)
    facts["store"]["accounts"] = [{"email": "soak2@example.com", "role": "customer"}]
    assert (kinds(facts), kinds(facts, accounts=True)) == (set(), {"lost"})


def test_the_same_seed_chooses_the_same_troubles() -> None:
    one, other, third = Troubles(7), Troubles(7), Troubles(8)
    chosen = [[each.choose() for _ in range(50)] for each in (one, other, third)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_shoppers_leave_a_journal_of_every_status() -> None:
    from integration.sandbox.store import StoreServer
    from integration.sandbox.store.demo_catalogue import stock

    store = StoreServer()
    stock(store.state)
    shoppers = Shoppers(store.shop, seed=1)
    for _ in range(300):
        shoppers.step()
    assert len(shoppers.acts) == 15
    for row in store.state.orders:
        assert row.status == "trash" or row.status in shoppers.statuses[row.id]
