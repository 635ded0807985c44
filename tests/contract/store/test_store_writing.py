"""What is written to the shop changes it and is answered as it was recorded."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from store_client import Client, Reply
from store_recordings import Recording, at_home, recording, without

from integration.sandbox.store import documents, shop_import

# Numbers that count things the fillers have no part in.
NUMBERED = ("order_key", "payment_url")


def at(client: Client, recorded: Recording) -> None:
    """Set the shop's clock to the moment a recording was made."""
    clock: Any = client.server.state.clock
    dated = re.search('"date_modified_gmt":"([^"]+)"', recorded.text)
    moment = datetime.fromisoformat(dated[1]) if dated else parsedate_to_datetime(recorded.header("Date") or "")
    clock._at = moment.replace(tzinfo=UTC)


def replay(client: Client, number: int) -> Reply:
    """Replay a recording at its moment and compare status, headers and JSON."""
    recorded = recording(number)
    at(client, recorded)
    reply = client.replay(recorded)
    assert reply.status == recorded.status, number
    for name in ("Location", "Allow"):
        wanted = recorded.header(name)
        assert reply.headers.get(name) == (at_home(wanted, client.server.url) if wanted else None), (number, name)
    wanted = Recording(0, {}, {"body": at_home(recorded.text, client.server.url)}).body
    assert without(reply.json, NUMBERED) == without(wanted, NUMBERED), number
    return reply


def test_coupons_are_made_refused_found_and_deleted(changing: Client) -> None:
    changing.server.state.counters |= {"meta": 1838, "post": 2238}
    for number in (139, 140, 141, 142, 143, 144, 145, 146, 147, 182):
        pair = changing.server.credentials.read_only if number == 182 else None
        if pair:
            assert changing.replay(recording(number), pair).status == 401
        else:
            replay(changing, number)
    replay(changing, 149)
    assert changing.ask("GET", "/coupons?code=recover-7f3k9q").json == []
    changing.server.state.counters["post"] = 2241
    made = changing.ask("POST", "/coupons", {"code": "to-delete", "amount": "1"}).json
    wanted = recording(150).body
    assert without(made, ("_links",)).keys() == without(wanted, ("_links",)).keys()
    deleted = changing.replay(recording(150))
    assert (deleted.status, deleted.json["code"], deleted.json["amount"]) == (200, wanted["code"], wanted["amount"])
    replay(changing, 151)
    replay(changing, 205)
    changing.server.state.counters["post"] = 2244
    replay(changing, 206)


def test_coupons_over_http(hooked: Client) -> None:
    for number, post in ((148, 2240), (471, 2238)):
        hooked.server.state.counters["post"] = post
        replay(hooked, number)


def test_an_order_is_made_changed_trashed_and_deleted(changing: Client) -> None:
    changing.server.state.counters["post"] = 2242
    for number in (152, 153, 154):
        replay(changing, number)
    replay_trashed = changing.replay(recording(155))
    assert replay_trashed.json["status"] == "trash"
    changing.server.state.counters["meta"] = 10952
    recorded = recording(155).body
    got = {entry["key"]: entry["value"] for entry in replay_trashed.json["meta_data"]}
    wanted = {entry["key"]: entry["value"] for entry in recorded["meta_data"]}
    assert got.keys() == wanted.keys()
    assert got["_wp_trash_meta_status"] == wanted["_wp_trash_meta_status"]
    deleted = changing.replay(recording(156))
    assert (deleted.status, deleted.json["status"]) == (200, recording(156).body["status"])
    replay(changing, 157)


def test_an_order_with_a_broken_email_or_an_unknown_product(changing: Client) -> None:
    replay(changing, 158)
    changing.server.state.counters |= {"post": 2243, "item": 10811}
    replay(changing, 159)


def test_a_customer_is_made_changed_and_deleted(changing: Client) -> None:
    changing.server.state.counters["meta"] = 12676
    for number in (160, 161, 162, 163, 164):
        replay(changing, number)
    assert changing.ask("GET", "/customers/507").status == 404


def test_batches_answer_per_item_and_have_a_limit(changing: Client) -> None:
    recorded = recording(165)
    before = without(recorded.body["update"][0], ())
    before["meta_data"] = [entry for entry in before["meta_data"] if entry["key"] != "touched"]
    shop_import.order(changing.server.state, before)
    changing.server.state.counters["meta"] = 10954
    replay(changing, 165)
    replay(changing, 166)
    assert len(changing.server.state.coupons) == 6


def test_batches_create_and_delete(changing: Client) -> None:
    body = {"create": [{"code": "one"}, {"code": "two"}, {"code": "ONE"}], "delete": [92]}

    reply = changing.ask("POST", "/coupons/batch", body).json

    assert [entry.get("code") for entry in reply["create"][:2]] == ["one", "two"]
    assert reply["create"][2]["error"]["code"] == "woocommerce_rest_coupon_code_already_exists"
    assert [entry["id"] for entry in reply["delete"]] == [92]
    assert 92 not in changing.server.state.coupons


def test_trashing_is_seen_by_polling_the_trash(changing: Client) -> None:
    state = changing.server.state
    row = state.orders.get(118)
    assert row is not None
    row.status = "processing"
    state.orders.touch(row, int(datetime(2024, 12, 3, 16, 41, 6, tzinfo=UTC).timestamp()))
    document = documents.own_of_order(state, row)
    wanted = recording(456).body
    names = {"billing", "shipping", "line_items", "tax_lines", "shipping_lines", "meta_data", "order_key", "total"}
    document.update({name: value for name, value in wanted.items() if name in document or name in names})
    marks = ("_wp_trash_meta_status", "_wp_trash_meta_time")
    document["meta_data"] = [entry for entry in wanted["meta_data"] if entry["key"] not in marks]
    state.counters["meta"] = 10947
    row.created, row.customer_id = 1_732_855_534, 0
    row.paid = int(datetime(2024, 11, 29, 5, 29, 8, tzinfo=UTC).timestamp())
    state.changed()
    replay(changing, 451)
    at(changing, recording(452))
    changing.server.shop.trash(118)
    for number in (452, 453, 454, 455):
        replay(changing, number)
    replay(changing, 456)


def test_put_over_oauth(hooked: Client) -> None:
    hooked.server.state.orders.get(101) or pytest.fail("No order 101.")

    reply = hooked.replay(recording(469))

    assert (reply.status, reply.json["customer_note"]) == (200, recording(469).body["customer_note"])


def test_delete_by_another_verb(changing: Client) -> None:
    replay(changing, 470)


def test_refunds_are_negative_and_a_full_one_changes_the_status(changing: Client) -> None:
    order = changing.server.shop.place_order(status="completed", line_items=[{"product_id": 12, "quantity": 2}])
    path = f"/orders/{order['id']}"

    first = changing.ask("POST", f"{path}/refunds", {"amount": "5.00", "reason": "Rimborso"})
    too_much = changing.ask("POST", f"{path}/refunds", {"amount": "500.00"})
    second = changing.ask("POST", f"{path}/refunds", {"amount": "4.56"})
    after = changing.ask("GET", path).json

    assert (first.status, too_much.status, second.status) == (201, 400, 201)
    assert first.json.keys() == recording(84).body[0].keys()
    assert [entry["total"] for entry in after["refunds"]] == ["-5.00", "-4.56"]
    assert (order["total"], after["total"], after["status"]) == ("9.56", "9.56", "refunded")


def test_notes_are_written_and_move_nothing(changing: Client) -> None:
    before = changing.ask("GET", "/orders/94").json["date_modified_gmt"]

    made = changing.ask("POST", "/orders/94/notes", {"note": "Hello", "customer_note": True})
    listed = changing.ask("GET", "/orders/94/notes?type=customer").json

    assert made.status == 201
    assert made.json.keys() == recording(86).body[0].keys()
    assert [entry["note"] for entry in listed] == ["Hello"]
    assert changing.ask("GET", "/orders/94").json["date_modified_gmt"] == before


def test_account_names_are_spoilt_and_billing_names_are_not(changing: Client) -> None:
    for number in (103, 110, 111):
        shown = recording(number).body
        billing = {name: shown["billing"][name] for name in ("first_name", "last_name")}
        fields = {"email": f"again{number}@example.com", **billing, "billing": billing}
        made = changing.ask("POST", "/customers", fields).json
        if number != 111:
            assert (made["first_name"], made["last_name"]) == (shown["first_name"], shown["last_name"])
        else:
            assert made["last_name"] == shown["last_name"]
        assert made["billing"]["last_name"] == shown["billing"]["last_name"]


def test_a_deleted_product_leaves_an_empty_place_in_old_orders(changing: Client) -> None:
    order = changing.server.shop.place_order(line_items=[{"product_id": 12}])
    changing.ask("DELETE", "/products/12?force=true")

    line = changing.ask("GET", f"/orders/{order['id']}").json["line_items"][0]
    wanted = recording(61).body["line_items"][0]

    assert {name: line[name] for name in ("product_id", "variation_id", "sku", "image", "parent_name")} == {
        name: wanted[name] for name in ("product_id", "variation_id", "sku", "image", "parent_name")
    }
    assert line["name"] == "Espresso Forte 250 g"
