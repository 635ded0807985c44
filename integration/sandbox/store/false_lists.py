"""Lists that are not what was asked for: what caches, caps and web servers that lose the query string make of them."""

from __future__ import annotations

from integration.sandbox.faults import Fault, Faults
from integration.sandbox.store.exchange import Answer, Ask


def before(faults: Faults, ask: Ask) -> None:
    """Change what the shop is asked for, once the key was looked at."""
    about = (ask.method, ask.path)
    if faults.take(Fault.DROP_QUERY, *about):
        ask.query.clear()
    if faults.take(Fault.SAME_PAGE, *about):
        ask.query.pop("offset", None)
        ask.query.pop("page", None)
    if rule := faults.take(Fault.PAGE_CAP, *about):
        ask.query["per_page"] = str(min(int(ask.query.get("per_page", 10)), int(rule.value)))


def after(faults: Faults, ask: Ask, answer: Answer) -> Answer:
    """Leave out of a list what lies behind its first rows; its total stays."""
    rule = faults.take(Fault.SHORT_LIST, ask.method, ask.path)
    if rule is not None and isinstance(answer.body, list):
        answer.body = answer.body[: max(int(rule.value) - int(ask.query.get("offset") or 0), 0)]
    return answer
