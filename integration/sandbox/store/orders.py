"""The routes of orders, their notes and refunds."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from integration.sandbox.store import documents, order_changes, order_json, rest_format
from integration.sandbox.store.addresses import check_billing
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.money import amount
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.params import (
    ORDER,
    PAGING,
    Param,
    anything,
    listed,
    moment,
    numbers,
    one_of,
    read,
    some_of,
    whole_number,
)
from integration.sandbox.store.problems import Refused, invalid, missing
from integration.sandbox.store.state import State
from integration.sandbox.store.statuses import ASKABLE
from integration.sandbox.store.times import bound

PARAMS = (
    *PAGING,
    Param("search", anything),
    Param("after", moment),
    Param("before", moment),
    Param("modified_after", moment),
    Param("modified_before", moment),
    Param("exclude", numbers),
    Param("include", numbers),
    Param("offset", whole_number(0)),
    Param("order", ORDER, "desc"),
    Param("orderby", one_of("date", "id", "include", "title", "slug", "modified"), "date"),
    Param("status", some_of(*ASKABLE), "any"),
    Param("customer", whole_number()),
    Param("product", whole_number()),
)
WINDOWS = ("after", "before", "modified_after", "modified_before")


def _link_params(query: dict[str, Any]) -> dict[str, Any]:
    # The Link repeats the query with dates_are_gmt as 1 and the statuses as a list at the end (woo:013, woo:033).
    params = {name: value for name, value in query.items() if name != "status"}
    if "dates_are_gmt" in params:
        params["dates_are_gmt"] = str(params["dates_are_gmt"]).lower() in ("1", "true")
    for name in ("include", "exclude"):
        if name in params:
            params[name] = listed(params[name])
    params["status"] = listed(query.get("status", "any"))
    return params


STYLE = Style("/wc/v3/orders", _link_params, {"dp": "2", "context": "view"}, forgets_total=True)


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List orders; the default list has drafts and custom statuses in it but not the trash."""
    values = read(request, PARAMS)
    page = Page.of(values)
    rows = found(state, values, request.flag("dates_are_gmt"))
    cut = scrambled(state, rows, page) if values["orderby"] == "modified" else page.cut(rows)
    wanted = set(request.fields)
    shown = [
        (order_json.cheap(state, row, wanted) if wanted else None) or order_json.show(state, row, request.root)
        for row in cut
    ]
    return answer(request, page, len(rows), shown, STYLE)


def found(state: State, values: dict[str, Any], are_gmt: bool) -> list[Row]:
    """Return the orders a list asks for, in its order; kept until an order changes."""
    times = {name: bound(str(values[name]), state.zone, are_gmt) if values[name] else None for name in WINDOWS}
    kept = {name: values[name] for name in ("search", "order", "orderby", "customer", "product")}
    lists = {name: tuple(listed(values[name] or "")) for name in ("include", "exclude", "status")}
    key = (*times.values(), *kept.values(), *lists.values())
    return state.orders.selection(key, lambda: _sorted(_filtered(state, times, kept, lists), kept, lists["include"]))


def _filtered(state: State, times: dict[str, int | None], kept: dict[str, Any], lists: dict[str, Any]) -> list[Row]:
    included, excluded = set(map(int, lists["include"])), set(map(int, lists["exclude"]))
    rows = state.orders.changed_between(times["modified_after"], times["modified_before"], included or None)
    # `any` swallows the others: `any,trash` still has no trash in it (woo:455).
    statuses = None if "any" in lists["status"] else set(lists["status"])
    after, before = times["after"], times["before"]
    return [
        row
        for row in rows
        if (row.status != "trash" if statuses is None else row.status in statuses)
        and row.id not in excluded
        and (after is None or row.created > after)
        and (before is None or row.created < before)
        and (kept["customer"] is None or row.customer_id == int(kept["customer"]))
        and (not kept["product"] or _has_product(state, row, int(kept["product"])))
        and (not kept["search"] or _speaks_of(state, row, str(kept["search"]).lower()))
    ]


def _has_product(state: State, row: Row, number: int) -> bool:
    return any(
        number in (line["product_id"], line["variation_id"]) for line in documents.of_order(state, row)["line_items"]
    )


def _speaks_of(state: State, row: Row, term: str) -> bool:
    if term == str(row.id) or term in row.email.lower():
        return True
    if row.document is None:
        # Orders of a bulk are found by number and e-mail only: making each of them for a search takes minutes.
        return False
    billing = " ".join(str(part) for part in row.document["billing"].values()).lower()
    return term in billing or any(term in str(line["name"]).lower() for line in row.document["line_items"])


def _sorted(rows: list[Row], kept: dict[str, Any], included: tuple[str, ...]) -> list[Row]:
    falling = kept["order"] == "desc"
    if kept["orderby"] == "include":
        places = {int(number): place for place, number in enumerate(included)}
        return sorted(rows, key=lambda row: places.get(row.id, len(places)))
    if kept["orderby"] == "modified":
        # Ties stand by id here; pages of them are another matter (see scrambled).
        return rows[::-1] if falling else rows
    if kept["orderby"] == "date":
        return sorted(rows, key=lambda row: (row.created, row.id), reverse=falling)
    return sorted(rows, key=lambda row: row.id, reverse=falling)


def scrambled(state: State, rows: list[Row], page: Page) -> list[Row]:
    """Return a page of a list by time of change, where rows of one second stand in another order on each page.

    MariaDB sorts ties anew for every page, so full passes repeat some rows and never give others (woo:482 to woo:501).
    """
    low, high = page.offset, min(page.offset + page.size, len(rows))
    if state.scramble_ties_from is None or len(rows) < state.scramble_ties_from or low >= high:
        return rows[low:high]
    first, last = low, high
    while first > 0 and rows[first - 1].modified == rows[low].modified:
        first -= 1
    while last < len(rows) and rows[last].modified == rows[high - 1].modified:
        last += 1
    sign = 1 if rows[0].modified <= rows[-1].modified else -1
    span = sorted(rows[first:last], key=lambda row: (sign * row.modified, crc32(f"{page.number}:{row.id}".encode())))
    return span[low - first : high - first]


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return an order, one in the trash too (woo:155)."""
    return _shown(state, request, state.order(number))


def _shown(state: State, request: ApiRequest, row: Row, status: int = 200) -> ApiAnswer:
    shown = order_json.show(state, row, request.root)
    found = rest_format.pick(shown, request.fields)
    if request.fields:
        # A single item keeps its links whatever `_fields` says (woo:451).
        found["_links"] = shown["_links"]
    headers = [("Location", shown["_links"]["self"][0]["href"])] if status == 201 else []
    return ApiAnswer(status, found, headers)


def create(state: State, request: ApiRequest) -> ApiAnswer:
    """Put an order in."""
    return _shown(state, request, order_changes.create(state, checked(state, request.payload()), "rest-api"), 201)


def checked(state: State, fields: dict[str, Any]) -> dict[str, Any]:
    """Refuse a body with a broken e-mail, an unknown status or an unknown buyer."""
    check_billing(fields.get("billing"))
    allowed = ("auto-draft", *ASKABLE[3:])
    if "status" in fields and (fault := one_of(*allowed)("status", fields["status"])):
        raise invalid([fault])
    buyer = int(fields.get("customer_id") or 0)
    if buyer and buyer not in state.people:
        raise Refused(400, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid.")
    return fields


def edit(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Change an order."""
    row = state.order(number)
    return _shown(state, request, order_changes.edit(state, row, checked(state, request.payload())))


def delete(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Move an order to the trash, or delete it with force; the answer shows it as it was (woo:154 and woo:156)."""
    row = state.order(number)
    shown = _shown(state, request, row)
    if request.flag("force"):
        order_changes.delete(state, row)
    elif row.status == "trash":
        raise Refused(410, "woocommerce_rest_already_trashed", "The Order has already been deleted.")
    else:
        order_changes.trash(state, row)
    return shown


def check_refund(fields: dict[str, Any], document: dict[str, Any]) -> str:
    """Return the amount of a refund; raises Refused when it is missing or more than is left."""
    if "amount" not in fields:
        raise missing("amount")
    left = amount(document["total"]) + sum(amount(each["total"]) for each in document["refunds"])
    if not 0 < amount(fields["amount"]) <= left:
        raise Refused(400, "woocommerce_rest_invalid_order_refund", "Invalid refund amount.")
    return str(fields["amount"])
