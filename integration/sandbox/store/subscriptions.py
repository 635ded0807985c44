"""The routes of subscriptions, which only a shop with WooCommerce Subscriptions has."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import recurring, rest_format
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.listing import Page, Style, answer
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.params import (
    ORDER,
    PAGING,
    Param,
    listed,
    moment,
    numbers,
    one_of,
    read,
    some_of,
    whole_number,
)
from integration.sandbox.store.state import State
from integration.sandbox.store.times import bound

PARAMS = (
    *PAGING,
    Param("modified_after", moment),
    Param("modified_before", moment),
    Param("include", numbers),
    Param("offset", whole_number(0)),
    Param("order", ORDER, "desc"),
    Param("orderby", one_of("date", "id", "include", "title", "slug", "modified"), "date"),
    Param("status", some_of("any", "trash", *recurring.STATUSES), "any"),
)
STYLE = Style("/wc/v3/subscriptions", added={"dp": "2", "context": "view"}, forgets_total=True)


def index(state: State, request: ApiRequest) -> ApiAnswer:
    """List subscriptions in any status."""
    values = read(request, PARAMS)
    page = Page.of(values)
    rows = _found(state, values, request.flag("dates_are_gmt"))
    return answer(request, page, len(rows), [recurring.show(state, row, request.root) for row in page.cut(rows)], STYLE)


def one(state: State, request: ApiRequest, number: int) -> ApiAnswer:
    """Return a subscription."""
    shown = recurring.show(state, recurring.find(state, number), request.root)
    found = rest_format.pick(shown, request.fields)
    return ApiAnswer(200, found | ({"_links": shown["_links"]} if request.fields else {}))


def _found(state: State, values: dict[str, Any], are_gmt: bool) -> list[Row]:
    after, before = (
        bound(str(values[name]), state.zone, are_gmt) if values[name] else None
        for name in ("modified_after", "modified_before")
    )
    included, statuses = set(map(int, listed(values["include"] or ""))), set(listed(values["status"]))
    rows = [
        row
        for row in state.subscriptions.changed_between(after, before)
        if (not included or row.id in included) and ("any" in statuses or row.status in statuses)
    ]
    key = {"modified": lambda row: (row.modified, row.id), "date": lambda row: (row.created, row.id)}
    return sorted(rows, key=key.get(values["orderby"], lambda row: row.id), reverse=values["order"] == "desc")
