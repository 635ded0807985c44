"""Mentions in sentences ("Record 4036: …", "Run 12 does it again.") as links to the pages of what they name.

Lines of runs, entries of the log, events and alerts are stored as plain text, also for machines. What they name is
found here when a page writes them, so that old ones are linked as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from flask import Flask, url_for
from markupsafe import Markup, escape

#: Ids as databases hold them. Numbers that go on (1,204; 12.5) are amounts, and those before "…" were cut.
_MENTION = re.compile(
    r"\b(record|dead letter|run|reconciliation|order|customer) #?(\d{1,18})\b(?![.,]\d|…)", re.IGNORECASE
)


def _record(connector_id: int, number: int) -> str:
    return url_for("record.show", connector_id=connector_id, delivery_id=number)


def _run(connector_id: int, number: int) -> str:
    return url_for("runs.show", connector_id=connector_id, run_id=number)


def _reconciliation(connector_id: int, number: int) -> str:
    return url_for("reconciliation.index", connector_id=connector_id, number=number)


def _found(noun: str) -> Callable[[int, int], str]:
    """Return what leads to the page of an order or a customer: a sentence may name an order by its id or its number."""
    return lambda connector_id, number: url_for("search.index", q=f"{noun} {number}", connector=connector_id)


_PAGES: Mapping[str, Callable[[int, int], str]] = {
    "record": _record,
    "dead letter": _record,
    "run": _run,
    "reconciliation": _reconciliation,
    "order": _found("order"),
    "customer": _found("customer"),
}


def linked(text: str | None, connector_id: int | None) -> Markup:
    """Return a sentence for a page, each mention a link; without a connector nothing is linked.

    The sentence may hold anything, for it quotes stores and servers: all of it is escaped.
    """
    said = text or ""
    if connector_id is None:
        return escape(said)
    if not _MENTION.search(said):
        return escape(said)
    parts, end = [], 0
    for found in _MENTION.finditer(said):
        url = _PAGES[found[1].lower()](connector_id, int(found[2]))
        parts += [escape(said[end : found.start()]), Markup('<a href="{}">{}</a>').format(url, found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(said[end:])])


def page_of(text: str, connector_id: int | None) -> str:
    """Return the address of what a text names last, "" when it names nothing: "order 7 (record 4036)" is the record."""
    named = list(_MENTION.finditer(text)) if connector_id is not None else []
    return _PAGES[named[-1][1].lower()](connector_id or 0, int(named[-1][2])) if named else ""


def init_app(app: Flask) -> None:
    """Make the filter known to the templates."""
    app.add_template_filter(linked)
