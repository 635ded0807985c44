"""Small parts of which a list draws hundreds: moments, badges, choices, links of rows.

They belong to the macros, and frame/macros.html gives them their names there; a macro costs several times as much.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup, escape

from integration.pipeline.connectors import time_zones
from integration.web.frame import filters

#: The records of a batch bear the same moments, and a page that is looked at again has most of them again.
_KEPT = 4_096


def moment(at: datetime | None, empty: str = "never") -> Markup:
    """Return a moment in the zone of the page with the zone's name, and UTC on hover; `empty` where there is none."""
    if not at:
        return Markup(f'<span class="muted">{escape(empty)}</span>')
    return _moment(at, filters.page_zone())


@lru_cache(maxsize=_KEPT)
def _moment(at: datetime, zone: ZoneInfo) -> Markup:
    local = escape(time_zones.written(at, zone))
    return Markup(f'<time datetime="{at.isoformat()}" title="{filters.utc(at)}">{local}</time>')


# By type: a text that is markup already equals one that is not, and is written otherwise.
@lru_cache(maxsize=_KEPT, typed=True)
def badge(text: Any, kind: str = "muted", meaning: str = "") -> Markup:
    """Return a word in a colour (ok, warn, bad, info, muted), with its meaning on hover where it has one."""
    title = f' title="{escape(meaning)}"' if meaning else ""
    return Markup(f'<span class="badge badge-{escape(kind)}"{title}>{escape(text)}</span>')


def option(value: Any, label: Any, chosen: Any = "") -> Markup:
    """Return one choice of a list; `chosen` is the value that is chosen now."""
    selected = " selected" if str(value) == str(chosen) else ""
    return Markup(f'<option value="{escape(value)}"{selected}>{escape(label)}</option>')


def row_link(url: str, text: Any, of: Any = "") -> Markup:
    """Return the link of a row to what the row is about: it covers the row, so that a click anywhere opens it.

    Other links, buttons and boxes of the row lie above. One a row; `of` are words for those who have the page read to
    them. Without an address it is the text alone.
    """
    if not url:
        return escape(text)
    said = f' aria-label="{escape(Markup(text).striptags())}, {escape(of)}"' if of else ""
    return Markup(f'<a class="row-link" href="{escape(url)}"{said}>{escape(text)}</a>')


def init_app(app: Flask) -> None:
    """Make them known to the macros."""
    for each in (moment, badge, option, row_link):
        app.add_template_global(each, f"mark_{each.__name__}")
