"""Lists that are not what was asked for: what caches, caps and web servers that lose the query string make of them."""

from __future__ import annotations

from integration.sandbox.faults import Fault, Faults
from integration.sandbox.store.http_messages import ApiAnswer, ApiRequest


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
    """Leave out of a list what lies behind its first rows; its total stays."""
    rule = faults.take(Fault.SHORT_LIST, request.method, request.path)
    if rule is not None and isinstance(answer.body, list):
        answer.body = answer.body[: max(int(rule.value) - int(request.query.get("offset") or 0), 0)]
    return answer
