"""Many creations, changes and deletions in one request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from integration.sandbox.store.faults import CRITICAL
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest
from integration.sandbox.store.problems import Refused, too_many
from integration.sandbox.store.state import State

BATCH_MAX_ROWS = 100
Handler = Callable[..., ApiAnswer]


def batch(create: Handler, edit: Handler, delete: Handler) -> Handler:
    """Return the batch route of a resource: 200 with an error per item that failed (woo:165 and woo:166)."""

    def run(state: State, request: ApiRequest) -> ApiAnswer:
        body = request.payload()
        parts = {name: list(body.get(name) or []) for name in ("create", "update", "delete") if name in body}
        if sum(map(len, parts.values())) > BATCH_MAX_ROWS:
            raise too_many()
        done: dict[str, list[Any]] = {}
        for name, entries in parts.items():
            done[name] = []
            for entry in entries:
                _crash(request, sum(map(len, done.values())))
                done[name].append(_each(state, request, name, entry, (create, edit, delete)))
        return ApiAnswer(200, done)

    return run


def _crash(request: ApiRequest, count: int) -> None:
    """Die in the middle of a batch when that is commanded; what was done before stays done."""
    if request.crash_after is not None and count >= request.crash_after:
        raise Refused(500, "internal_server_error", CRITICAL)


def _each(state: State, request: ApiRequest, part: str, entry: Any, handlers: tuple[Handler, Handler, Handler]) -> Any:
    number = int(entry if part == "delete" else entry.get("id") or 0)
    create, edit, delete = handlers
    try:
        if part == "create":
            return create(state, _inner(request, entry)).body
        if part == "update":
            return edit(state, _inner(request, entry), number).body
        return delete(state, _inner(request, {}, "?force=true"), number).body
    except Refused as refused:
        # Inside a batch an unknown id is a 400 (woo:165).
        return {"id": number, "error": refused.body(400)}


def _inner(request: ApiRequest, fields: dict[str, Any], query: str = "") -> ApiRequest:
    headers = {**request.headers, "content-type": "application/json"}
    return replace(request, target=request.path + query, headers=headers, body=json.dumps(fields).encode())
