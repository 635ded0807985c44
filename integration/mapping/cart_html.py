"""A cart as an HTML table that e-mail clients render (P55): inline styles, no scripts, everything escaped.

Mautic keeps the markup of an html field, scripts too (mautic:472), but drops text behind a lone `<`, and what its
filter makes of entities is not told. So names carry neither tags nor angle brackets.
"""

from __future__ import annotations

import html
from decimal import Decimal
from urllib.parse import urlsplit

from integration import money
from integration.mapping.order_data import quantity
from integration.mapping.text import clean, without_markup
from integration.mapping.values import TEXT_BYTES
from integration.records import Cart, CartLine

_CELL = 'style="padding:8px;border-bottom:1px solid #ddd"'
_RIGHT = 'style="padding:8px;border-bottom:1px solid #ddd;text-align:right"'
_HEAD = '<table width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse">'
_MORE = "… and {} more"


def table(cart: Cart) -> str:
    """Return the table of the cart's lines and its total, "" without lines; as many lines as the column holds."""
    rows = [_row(line, cart.currency) for line in cart.lines]
    if not rows:
        return ""
    foot = _line("", "Total", _amount(cart.total, cart.currency), strong=True)
    kept = _fitting(rows, TEXT_BYTES - len((_HEAD + foot).encode()) - 200)
    more = _line("", _MORE.format(len(rows) - kept), "") if kept < len(rows) else ""
    return f"{_HEAD}{''.join(rows[:kept])}{more}{foot}</table>"


def _fitting(rows: list[str], room: int) -> int:
    taken = 0
    for number, row in enumerate(rows):
        taken += len(row.encode())
        if taken > room:
            return number
    return len(rows)


def _row(line: CartLine, currency: str) -> str:
    name = _text(line.name)
    named = f'<a href="{_url(line.link)}">{name}</a>' if _url(line.link) else name
    picture = f'<img src="{_url(line.image)}" alt="" width="64" style="display:block">' if _url(line.image) else ""
    return _line(picture, f"{quantity(line.quantity)} × {named}", _amount(line.total, currency))


def _line(picture: str, text: str, amount: str, *, strong: bool = False) -> str:
    text, amount = (f"<strong>{text}</strong>", f"<strong>{amount}</strong>") if strong else (text, amount)
    return f"<tr><td {_CELL}>{picture}</td><td {_CELL}>{text}</td><td {_RIGHT}>{amount}</td></tr>"


def _text(text: str) -> str:
    """Return a name without markup, and without any sign that could begin some."""
    bare = without_markup(clean(text)).replace("<", "‹").replace(">", "›")
    return html.escape(bare)


def _url(text: str) -> str:
    """Return an http(s) address fit for an attribute, "" for anything else."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return html.escape(parts.geturl().replace("<", "%3C").replace(">", "%3E"))


def _amount(amount: Decimal, currency: str) -> str:
    return html.escape(f"{money.text(amount, currency)} {currency}".strip())
