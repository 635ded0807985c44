"""Lists that are not what was asked for: what caches, caps and web servers that lose the query string make of them."""

from __future__ import annotations

from typing import Any

from integration.sandbox.faults import Fault, Faults
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest

#: What Cloudflare writes, with a blank that does not break.
PLACEHOLDER = "[email\u00a0protected]"


def before(faults: Faults, request: ApiRequest) -> None:
    """Change what the shop is asked for, once the key was looked at."""
    about = (request.method, request.path)
    if faults.take(Fault.DROP_QUERY, *about):
        request.query.clear()
    if faults.take(Fault.SAME_PAGE, *about):
        request.query.pop("offset", None)
        request.query.pop("page", None)
    if rule := faults.take(Fault.PAGE_CAP, *about):
        request.query["per_page"] = str(min(int(request.query.get("per_page", 10)), int(rule.value)))


def after(faults: Faults, request: ApiRequest, answer: ApiAnswer) -> ApiAnswer:
    """Leave out of a list what lies behind its first rows, whose total stays; hide its addresses as a CDN does."""
    if faults.take(Fault.HIDE_EMAILS, request.method, request.path):
        answer.body = _hidden(answer.body)
    rule = faults.take(Fault.SHORT_LIST, request.method, request.path)
    if rule is not None and isinstance(answer.body, list):
        answer.body = answer.body[: max(int(rule.value) - int(request.query.get("offset") or 0), 0)]
    return answer


def _hidden(value: Any) -> Any:
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: PLACEHOLDER if name == "email" and held else _hidden(held) for name, held in value.items()}
