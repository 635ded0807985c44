"""The templates of the storefront's pages, and names and amounts as these print them."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from integration.sandbox.store.state import State
from integration.sandbox.store.storefront import prices

FOLDER = Path(__file__).parent / "pages"
ENVIRONMENT = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


def fill(name: str, **values: Any) -> Markup:
    """Return a template filled in."""
    return Markup(ENVIRONMENT.get_template(name).render(**values))


def name(text: str) -> Markup:
    """Return a name as WordPress prints it: typographic, with its entities and harmless tags, the rest as text."""
    shown = str(escape(unescape(prices.texturized(text))))
    return Markup(re.sub(r"&lt;(/?(?:i|b|em|strong))&gt;", r"<\1>", shown))


def price(state: State, value: Decimal) -> Markup:
    """Return an amount as carts and order forms print it (storefront:095)."""
    plain = prices.html(state, value)
    return Markup(plain.replace('amount">', 'amount"><bdi>', 1).removesuffix("</span>") + "</bdi></span>")
