"""How a store's failure arrives: in an answer to the sync, or in a step of the connection test."""

from __future__ import annotations

from tests.operations.diagnostics.signatures import Case, Classified, Said, Stepped, ok, wordpress

ROOT, ORDERS, HOOKS = "/wp-json/", "/wp-json/wc/v3/orders", "/wp-json/wc/v3/webhooks"
INDEX = ok({"name": "Shop", "namespaces": ["wp/v2", "wc/v3"]})
ROWS = ok([{"id": 1}], X_WP_Total="1")
#: A store where everything is well; cases put something else in a place.
WELL = {
    ROOT: INDEX,
    ORDERS: ROWS,
    "/wp-json/wc/v3/customers": ROWS,
    HOOKS: ROWS,
    f"POST {HOOKS}": wordpress(400, "rest_missing_callback_param", "Missing parameter(s): delivery_url"),
}


def told(said: Said, kind: str, code: str, says: str, do: str) -> Case:
    return Classified("store", said, kind, code, says, do)


def step(path: str, said: Said, number: int, code: str, says: str, do: str, state: str = "failed") -> Case:
    return Stepped("store", {**WELL, path: said}, number, code, says, do, state)
