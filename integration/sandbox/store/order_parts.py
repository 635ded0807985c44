"""The routes of order notes and refunds."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import documents, order_changes, rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.orders import check_refund
from integration.sandbox.store.params import PAGING, Param, one_of, read
from integration.sandbox.store.problems import Refused, missing
from integration.sandbox.store.state import State
from integration.sandbox.store.times import gmt, local

NOTES = (Param("type", one_of("any", "customer", "internal"), "any"),)


def _note(state: State, request: ApiRequest, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    place = f"/wc/v3/orders/{number}/notes"
    found = rest_format.links(request.root, place, entry["id"], ["GET", "DELETE"])
    found["up"] = [{"href": f"{request.root}/wc/v3/orders/{number}"}]
    return {
        "id": entry["id"],
        "author": entry["author"],
        "date_created": local(entry["created"], state.zone),
        "date_created_gmt": gmt(entry["created"]),
        "note": entry["note"],
        "customer_note": entry["customer_note"],
        "_links": found,
    }


def notes(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """List an order's notes, newest first, without totals (woo:086 and woo:475)."""
    kind = read(request, NOTES)["type"]
    state.order(number)
    entries = sorted(state.notes.get(number, []), key=lambda entry: (-entry["created"], entry["id"]))
    kept = [entry for entry in entries if kind == "any" or entry["customer_note"] == (kind == "customer")]
    return ApiAnswer(200, [rest_format.pick(_note(state, request, number, entry), request.fields) for entry in kept])


def add_note(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Write a note; it moves no date and sends no webhook."""
    fields = request.payload()
    state.order(number)
    if "note" not in fields:
        raise missing("note")
    to_customer = str(fields.get("customer_note", "")).lower() in ("1", "true")
    entry = order_changes.note(state, number, str(fields["note"]), to_customer, "admin")
    shown = _note(state, request, number, entry)
    return ApiAnswer(201, shown, [("Location", shown["_links"]["self"][0]["href"])])


def _refund(state: State, request: ApiRequest, entry: dict[str, Any], with_parent: bool = False) -> dict[str, Any]:
    parent = entry["parent_id"]
    found = rest_format.links(request.root, f"/wc/v3/orders/{parent}/refunds", entry["id"], ["GET", "DELETE"])
    found["up"] = [{"href": f"{request.root}/wc/v3/orders/{parent}"}]
    lines: dict[str, Any] = {name: [] for name in ("line_items", "shipping_lines", "tax_lines", "fee_lines")}
    lines.update({name: entry[name] for name in lines if name in entry})
    return {
        "id": entry["id"],
        **({"parent_id": parent} if with_parent else {}),
        "date_created": local(entry["created"], state.zone),
        "date_created_gmt": gmt(entry["created"]),
        "amount": entry["amount"],
        "reason": entry["reason"],
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": entry["meta_data"],
        **lines,
        "_links": found,
    }


def refunds(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """List an order's refunds, newest first (woo:084)."""
    page = Page.of({**read(request, PAGING), "offset": None})
    state.order(number)
    entries = sorted(state.refunds.get(number, []), key=lambda entry: -entry["id"])
    shown = [_refund(state, request, entry) for entry in page.cut(entries)]
    return answer(request, page, len(entries), shown, Style(f"/wc/v3/orders/{number}/refunds", added={"dp": "2"}))


def all_refunds(state: State, request: ApiRequest) -> ApiAnswer:
    """List the refunds of all orders, newest first (woo:085)."""
    page = Page.of({**read(request, PAGING), "offset": None})
    entries = sorted((each for some in state.refunds.values() for each in some), key=lambda entry: -entry["id"])
    shown = [_refund(state, request, entry, True) for entry in page.cut(entries)]
    return answer(request, page, len(entries), shown, Style("/wc/v3/refunds", added={"dp": "2"}))


def add_refund(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Pay money back; raises Refused for more than is left."""
    fields = request.payload()
    row = state.order(number)
    value = check_refund(fields, documents.of_order(state, row))
    shown = _refund(state, request, order_changes.refund(state, row, value, str(fields.get("reason") or "")))
    return ApiAnswer(201, shown, [("Location", shown["_links"]["self"][0]["href"])])


def one_refund(state: State, request: ApiRequest, number: int, refund: int) -> ApiAnswer:
    """Return one refund of an order."""
    state.order(number)
    entry = next((each for each in state.refunds.get(number, []) if each["id"] == refund), None)
    if entry is None:
        raise Refused(404, "woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.")
    return ApiAnswer(200, _refund(state, request, entry))
