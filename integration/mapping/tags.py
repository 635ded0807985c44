"""Tags: WordPress slugs for products and statuses, and what makes any tag safe to send (P14, P33, P34, P36, P37)."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

from slugify import slugify

from integration.mapping.text import clean
from integration.plans import Adjustment
from integration.records import LineItem
from integration.records import Order

#: A tag of 300 characters is answered with 500 (recording 129); the column holds this many.
LONGEST = 191
#: WordPress keeps statuses in 20 characters; a plugin that renames them may send more.
STATUS_LONGEST = 60
#: Statuses that undo a completed order (P37).
UNDONE = ("refunded", "cancelled")

_MARKUP = re.compile(r"<[^<>]*>")
#: WordPress turns these into a dash and the times sign into an x; other punctuation is dropped.
_DASHES = re.compile(r"[./\u00a0\u2010-\u2015]")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_DROPPED = re.compile(r"[^a-z0-9 _-]")
_GAPS = re.compile(r"[ -]+")
_UNSAFE = re.compile(r"[,<>]")


def slug(text: str) -> str:
    """Return the text as WordPress's sanitize_title makes it: lower case, `a-z0-9_-`, blanks as dashes.

    One thing differs: letters of other scripts are transliterated ("Футболка" -> "futbolka"), where WordPress would
    percent-encode them, because nobody can read or pick %d1%84 from a list of tags.
    """
    text = _MARKUP.sub("", html.unescape(clean(text))).replace("\u00d7", "x")
    text = _FOREIGN.sub(_transliterated, _DASHES.sub("-", text)).lower()
    text = _DROPPED.sub("", text.replace("\t", " "))
    return _GAPS.sub("-", text).strip("-")


def _transliterated(match: re.Match[str]) -> str:
    """Write letters of other scripts in Latin ones; signs such as ™ are dropped, as WordPress does."""
    words = "".join(
        letter if unicodedata.category(letter)[0] in "LMN" else " " * letter.isspace() for letter in match[0]
    )
    return " ".join(slugify(word) for word in words.split(" "))


def product_tag(item: LineItem, status: str, with_id: bool = False) -> str:
    """Return `{sku}_{status}`, without SKU `{name}_{status}` (P33) or `{id}_{name}_{status}` (P34), "" if nameless."""
    base = product_slug(item, with_id)
    end = f"_{slug(status)[:STATUS_LONGEST]}"
    return base[: LONGEST - len(end)].rstrip("-") + end if base else ""


def product_slug(item: LineItem, with_id: bool = False) -> str:
    """Return what names the product in a tag; a name without a letter that can be written falls back to the id."""
    sku = slug(item.sku)
    if sku:
        return sku
    name, number = slug(item.name), str(item.product_id or "")
    parts = [number, name] if with_id or not name else [name]
    return "_".join(part for part in parts if part)


def product_tags(order: Order, with_id: bool) -> tuple[str, ...]:
    """Return the tags of all products of the order with its status, each once."""
    return once(product_tag(item, order.status, with_id) for item in order.items)


def undone_tags(order: Order, with_id: bool) -> tuple[str, ...]:
    """Return "-tag" for the completed tag of each product when the order was refunded or cancelled (P37)."""
    if order.status not in UNDONE:
        return ()
    return tuple(f"-{tag}" for tag in once(product_tag(item, "completed", with_id) for item in order.items))


def typed_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as a person typed them, made safe: added ones only, so a dash in front is dropped.

    Letter case stays: Mautic takes another case for another tag (recording 127), and the person typed one they have.
    """
    return once(_safe(tag).lstrip("- ") for tag in tags)


def once(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags in their order, each once, without empty ones."""
    return tuple(dict.fromkeys(tag for tag in tags if tag.strip("- ")))


def fit_tags(tags: Iterable[str]) -> tuple[tuple[str, ...], tuple[Adjustment, ...]]:
    """Return tags that Mautic takes, and an adjustment for each that had to be shortened (recording 129)."""
    fitted, adjustments = [], []
    for tag in tags:
        name = _safe(tag.lstrip("-"))
        short = name[:LONGEST].rstrip()
        fitted.append(f"-{short}" if tag.startswith("-") else short)
        if short != name:
            sentence = f"The tag “{short[:40]}…” was cut to {LONGEST} characters."
            adjustments.append(Adjustment("tags", "shortened", sentence))
    return once(fitted), tuple(adjustments)


def _safe(tag: str) -> str:
    return " ".join(_UNSAFE.sub(" ", clean(tag)).split())
