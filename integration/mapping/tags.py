"""Tags: WordPress slugs for products and statuses, and what makes any tag safe to send (P14, P33 to P37).

A connector with a name space puts it before each of its tags (X16): `de.shirt_completed`. No slug has a point in it, so
that no tag of a product is another store's, whatever their SKUs are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote

from integration.mapping import slugs
from integration.mapping.slugs import slug
from integration.mapping.text import clean
from integration.plans import Adjustment
from integration.records import LineItem, Order

#: A tag of 300 characters is answered with 500 (mautic:129); the column holds this many.
TAG_MAX_CHARS = 191
#: WordPress keeps statuses in 20 characters; a plugin that renames them may send more.
STATUS_MAX_CHARS = 60
#: Statuses that undo a completed order (P37).
UNDONE = ("refunded", "cancelled")

_UNSAFE = re.compile(r"[,<>]")


def spaced(tag: str, name_space: str) -> str:
    """Return a tag as a connector with a name space calls it, "" for no tag."""
    return f"{name_space}.{tag}" if name_space and tag else tag


def product_tag(item: LineItem, status: str, with_id: bool = False, locale: str = "", name_space: str = "") -> str:
    """Return `{sku}_{status}`, without SKU `{name}_{status}` (P33) or `{id}_{name}_{status}` (P34), "" if nameless."""
    return _tag(product_slug(item, with_id, locale), status, name_space)


def product_slug(item: LineItem, with_id: bool = False, locale: str = "") -> str:
    """Return what names the product in a tag; a name without a letter that can be written falls back to the id."""
    return _base(item, with_id, lambda text: slug(text, locale))


def former_tags(
    item: LineItem, status: str, with_id: bool = False, locale: str = "", name_space: str = ""
) -> tuple[str, ...]:
    """Return how earlier tags spelt the product's where that differs: in the first version, without the locale."""
    spelt = (_tag(_base(item, with_id, spell), status, name_space) for spell in (slugs.first_version, slug))
    return once(tag for tag in spelt if tag != product_tag(item, status, with_id, locale, name_space))


def product_tags(order: Order, with_id: bool, locale: str = "", name_space: str = "") -> tuple[str, ...]:
    """Return the tags of all products of the order with its status, each once."""
    return once(product_tag(item, order.status, with_id, locale, name_space) for item in order.items)


def category_tags(slugs_of_products: Iterable[str], locale: str = "", name_space: str = "") -> tuple[str, ...]:
    """Return the categories' slugs as tags (P35); what WordPress wrote in percent signs (woo:130) as products are."""
    made = (spaced(slug(unquote(each), locale), name_space) for each in slugs_of_products)
    return once(tag[:TAG_MAX_CHARS].rstrip("-") for tag in made)


def undone_tags(order: Order, with_id: bool, locale: str = "", name_space: str = "") -> tuple[str, ...]:
    """Return "-tag" for the completed tag of each product when the order was refunded or cancelled (P37)."""
    if order.status not in UNDONE:
        return ()
    tags = once(product_tag(item, "completed", with_id, locale, name_space) for item in order.items)
    return tuple(f"-{tag}" for tag in tags)


def _base(item: LineItem, with_id: bool, spell: Callable[[str], str]) -> str:
    sku = spell(item.sku)
    if sku:
        return sku
    name, number = spell(item.name), str(item.product_id or "")
    parts = [number, name] if with_id or not name else [name]
    return "_".join(part for part in parts if part)


def _tag(base: str, status: str, name_space: str) -> str:
    """Return the tag with its status whole, however long the product's name is."""
    end = f"_{slug(status)[:STATUS_MAX_CHARS]}"
    return spaced(base, name_space)[: TAG_MAX_CHARS - len(end)].rstrip("-") + end if base else ""


def typed_tags(tags: Iterable[str], name_space: str = "") -> tuple[str, ...]:
    """Return tags as a person typed them, made safe: added ones only, so a dash in front is dropped.

    Letter case stays: Mautic takes another case for another tag (mautic:127), and the person typed one they have.
    """
    return once(spaced(_safe(tag).lstrip("- "), name_space) for tag in tags)


def once(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags in their order, each once, without empty ones."""
    return tuple(dict.fromkeys(tag for tag in tags if tag.strip("- ")))


def fit_tags(tags: Iterable[str]) -> tuple[tuple[str, ...], tuple[Adjustment, ...]]:
    """Return tags that Mautic takes, and an adjustment for each that had to be shortened (mautic:129)."""
    fitted, adjustments = [], []
    for tag in tags:
        name = _safe(tag.lstrip("-"))
        short = name[:TAG_MAX_CHARS].rstrip()
        fitted.append(f"-{short}" if tag.startswith("-") else short)
        if short != name:
            sentence = f"The tag “{short[:40]}…” was cut to {TAG_MAX_CHARS} characters."
            adjustments.append(Adjustment("tags", "shortened", sentence))
    return once(fitted), tuple(adjustments)


def _safe(tag: str) -> str:
    return " ".join(_UNSAFE.sub(" ", clean(tag)).split())
