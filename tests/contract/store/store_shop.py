"""The recorded shop, put together from its recordings: 1,950 orders, 506 accounts, and the fillers between them."""

from __future__ import annotations

import itertools
from typing import Any

from store_recordings import recording

from integration.sandbox.store import documents, shop_import
from integration.sandbox.store.addresses import ACCOUNT_PARTS, blank
from integration.sandbox.store.coupon_defaults import blank_coupon
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.people import Person
from integration.sandbox.store.state import State
from integration.sandbox.store.times import from_gmt

ORDER_LISTS = (*range(7, 18), 20, 28, 31, 32, 34)
ORDER_ITEMS = range(41, 84)
TIES = range(482, 502)
CLEAN_TIES = (24, 25, 26)
LATER = "2026-11-20T19:00:00"
GUESTS, RETURNING, TRASHED = 788, 50, 50


def build(state: State) -> None:
    """Fill the state with the recorded shop."""
    _shelf(state)
    _people(state)
    _orders(state)
    for shown in recording(84).body:
        shop_import.refund(state, 96, shown)
    _refunds(state)
    for shown in recording(86).body:
        shop_import.note(state, 211, shown)
    state.counters |= {"meta": 10947, "item": 10809, "item_meta": 88167, "post": 2238, "user": 506}


def _shelf(state: State) -> None:
    for shown in recording(130).body:
        shop_import.category(state, shown)
    for number in (120, 124):
        for shown in recording(number).body:
            shop_import.product(state, shown)
    for number in (122, 123, 125, 126, 127):
        shop_import.product(state, recording(number).body)
    _more_products(state)
    for shown in recording(138).body:
        shop_import.coupon(state, shown)
    for number in (86 + 900, 86 + 901, 86 + 902):
        state.coupons[number] = blank_coupon(number, f"older{number}", 1)


def _more_products(state: State) -> None:
    """Bring the products to forty and the variations of one to nine, all older than those that were recorded."""
    plain = dict(state.products[12]) | {"created": 1_600_000_000, "modified": from_gmt("2026-11-20T19:29:43")}
    known = sum(entry["type"] != "variation" for entry in state.products.values())
    for number in range(3000, 3040 - known):
        state.products[number] = plain | {"id": number, "sku": f"FILLER-{number}"}
    small = min(number for number, entry in state.products.items() if entry["type"] == "variation")
    for number in range(small - 6, small):
        state.products[number] = state.products[small] | {"id": number}


def _refunds(state: State) -> None:
    """Bring the refunds of all orders to the recorded number, the newest as recorded."""
    for shown in recording(85).body:
        shop_import.refund(state, shown["parent_id"], shown)
    kept = sum(map(len, state.refunds.values()))
    blank_refund = state.refunds[96][0]
    state.refunds[1] = [blank_refund | {"id": number, "parent_id": 1} for number in range(100, 246 - kept)]


def _people(state: State) -> None:
    shown = {each["id"]: each for number in (87, 89, 113) for each in recording(number).body}
    shown |= {each["id"]: each for each in (recording(number).body for number in (*range(95, 113), 118))}
    names = {each["id"]: f"{place:04}" for place, each in enumerate(recording(474).body)}
    for number, each in shown.items():
        shop_import.person(state, each, names.get(number, "" if number == 1 else f"z{number:05}"))
    for each in recording(474).body:
        if each["id"] not in state.people:
            _filler(state, each["id"], each["email"], names[each["id"]], from_gmt(each["date_modified_gmt"]))
    known = {each["id"]: from_gmt(each["date_created_gmt"]) for each in recording(90).body}
    for each in recording(90).body:
        if each["id"] not in state.people:
            mail = f"filler{each['id']}@example.com"
            _filler(state, each["id"], mail, f"z{each['id']:05}", from_gmt(each["date_modified_gmt"]))
    for number, created in known.items():
        state.people[number].created = created or 0
    for number in itertools.islice((each for each in range(4, 507) if each not in state.people), 506):
        _filler(state, number, f"filler{number}@example.com", f"z{number:05}", 1_700_000_000)
    for number in (504, 505, 506):
        state.people[number].role = "subscriber"
    _pay(state)


def _filler(state: State, number: int, email: str, name: str, modified: int | None) -> None:
    person = Person(number, 1_600_000_000, email, name, modified=modified)
    person.document = {"first_name": "", "last_name": "", "username": f"cust{number}", "is_paying_customer": False}
    person.document |= {"billing": blank(ACCOUNT_PARTS, True), "shipping": blank(ACCOUNT_PARTS, False), "meta_data": []}
    state.people[number] = person


def _pay(state: State) -> None:
    paying = sum(bool(documents.of_person(person)["is_paying_customer"]) for person in state.people.values())
    fillers = [person for person in state.people.values() if person.created == 1_600_000_000]
    for person in fillers[: recording(135).body[0]["total"] - paying]:
        documents.of_person(person)["is_paying_customer"] = True


def _orders(state: State) -> None:
    for number in ORDER_LISTS:
        for shown in recording(number).body:
            shop_import.order(state, shown)
    for number in ORDER_ITEMS:
        shop_import.order(state, recording(number).body)
    dates = {each["id"]: each["date_modified_gmt"] for number in TIES for each in recording(number).body}
    dates |= {each["id"]: each["date_modified_gmt"] for number in CLEAN_TIES for each in recording(number).body}
    dates |= {each["id"]: each["date_modified_gmt"] for each in recording(21).body}
    used = dates.keys() | state.orders.rows.keys()
    # The orders the scrambled pages never gave were changed in the second that was scrambled.
    spare = (each for each in range(2000, 100, -1) if each not in used and each not in state.products)
    dates |= {each: LATER for each in itertools.islice(spare, 1950 - len(dates))}
    fillers = [_row(state, number, date) for number, date in sorted(dates.items()) if number not in state.orders.rows]
    state.orders.add_many(fillers)
    trash = sum(row.status == "trash" for row in state.orders)
    state.orders.add_many([_trash(each) for each in itertools.islice(spare, TRASHED - trash)])
    _give(state, fillers)


def _row(state: State, number: int, date: str) -> Row:
    row = Row(
        number, "", _created(state, number), from_gmt(date) or 0, recipe=number, email=f"filler{number}@example.net"
    )
    row.document = documents.of_order(state, row)
    return row


def _created(state: State, number: int) -> int:
    """Return a time shortly before the next order whose time is known, so that dates run as numbers do."""
    after = next((row for row in state.orders if row.id > number), None)
    return after.created - (after.id - number) if after else from_gmt(LATER) or 0


def _trash(number: int) -> Row:
    return Row(number, "trash", 1_740_000_000 + number, 1_740_000_000 + number, recipe=number)


def _give(state: State, fillers: list[Row]) -> None:
    """Give the fillers statuses, buyers and e-mails so that the recorded totals come out; low numbers first."""
    wanted = {each["slug"]: each["total"] for each in recording(134).body}
    special = {802: 10, 1746: 10}
    latest = _latest()
    for row in state.orders:
        if row.status in wanted:
            wanted[row.status] -= 1
    for number, status in latest.items():
        if row := next((each for each in fillers if each.id == number), None):
            row.status = status
            wanted[status] -= 1
    left = (status for status, count in wanted.items() if status != "completed" for _ in range(count))
    for row in fillers:
        row.status = row.status or next(left, "completed")
    for row in fillers:
        row.customer_id = special.get(row.id, 0 if row.id in (2232, 2234) else 4)
    guests = GUESTS - sum(row.customer_id == 0 and row.status != "trash" for row in state.orders)
    for row in [row for row in fillers if row.customer_id == 4][:guests]:
        row.customer_id = 0


def _latest() -> dict[int, str]:
    rows: list[dict[str, Any]] = [each for number in (29, 33, 35, 432) for each in _listed(number)]
    return {each["id"]: each["status"] for each in rows}


def _listed(number: int) -> list[dict[str, Any]]:
    found = recording(number if number != 432 else 29).body
    return [each for each in found if "status" in each]


def returning(state: State) -> None:
    """Give the returning guest fifty orders, the newest as recorded (036 and 472)."""
    known = [row for row in state.orders if row.email.lower() == "returning.guest@example.net"]
    for number, email in ((2207, "Returning.Guest@Example.net"), (2206, "returning.guest@example.net")):
        row = state.orders.rows[number]
        if row not in known:
            known.append(row)
            _rename(state, row, email)
    others = (row for row in state.orders if row.recipe and row.status != "trash" and row not in known)
    for row in itertools.islice(others, RETURNING - len(known)):
        _rename(state, row, "returning.guest@example.net")


def _rename(state: State, row: Row, email: str) -> None:
    row.email = email
    documents.own_of_order(state, row)["billing"]["email"] = email
