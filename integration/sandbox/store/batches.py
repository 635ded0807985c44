"""Many creations, changes and deletions in one request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from integration.sandbox.store.exchange import Answer, Ask
from integration.sandbox.store.faults import CRITICAL
from integration.sandbox.store.problems import Refused, too_many
from integration.sandbox.store.state import State

LARGEST = 100
Handler = Callable[..., Answer]


def batch(create: Handler, edit: Handler, delete: Handler) -> Handler:
    """Return the batch route of a resource: 200 with an error per item that failed (recordings 165 and 166)."""

    def run(state: State, ask: Ask) -> Answer:
        body = ask.payload()
        parts = {name: list(body.get(name) or []) for name in ("create", "update", "delete") if name in body}
        if sum(map(len, parts.values())) > LARGEST:
            raise too_many()
        done: dict[str, list[Any]] = {}
        for name, entries in parts.items():
            done[name] = []
            for entry in entries:
                _crash(ask, sum(map(len, done.values())))
                done[name].append(_each(state, ask, name, entry, (create, edit, delete)))
        return Answer(200, done)

    return run


def _crash(ask: Ask, count: int) -> None:
    """Die in the middle of a batch when that is commanded; what was done before stays done."""
    if ask.crash_after is not None and count >= ask.crash_after:
        raise Refused(500, "internal_server_error", CRITICAL)


def _each(state: State, ask: Ask, part: str, entry: Any, handlers: tuple[Handler, Handler, Handler]) -> Any:
    number = int(entry if part == "delete" else entry.get("id") or 0)
    create, edit, delete = handlers
    try:
        if part == "create":
            return create(state, _inner(ask, entry)).body
        if part == "update":
            return edit(state, _inner(ask, entry), number).body
        return delete(state, _inner(ask, {}, "?force=true"), number).body
    except Refused as refused:
        # Inside a batch an unknown id is a 400 (recording 165).
        return {"id": number, "error": refused.body(400)}


def _inner(ask: Ask, fields: dict[str, Any], query: str = "") -> Ask:
    headers = {**ask.headers, "content-type": "application/json"}
    return replace(ask, target=ask.path + query, headers=headers, body=json.dumps(fields).encode())
