"""Which product a shopper means: a variation by its number or by its attributes, and what "any" leaves to choose."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl

from slugify import slugify

from integration.sandbox.store.problems import Refused
from integration.sandbox.store.sessions_kept import Item
from integration.sandbox.store.state import State

PREFIX = "attribute_"


def refuse_product() -> Refused:
    """Make the refusal of something that is not for sale (storefront:019)."""
    return Refused(400, "woocommerce_rest_cart_invalid_product", "This product cannot be added to the cart.")


def resolve(state: State, number: int, quantity: int, given: dict[str, str], by_link: bool = False) -> Item:
    """Return the cart line of a product, variation or parent number with the attributes that were given.

    `given` maps attribute names in any form (Colore, pa_colore, attribute_colore) to values. Raises Refused for what is
    unknown, for a parent nothing was chosen of, and for an attribute that is free and missing (storefront:008 to
    storefront:012, storefront:019).

    What came by a link or a form (`by_link`) has its choices as the product lists them, else they are sorted, so that
    the same choice made both ways is two lines (storefront:147 beside storefront:124).
    """
    product = state.product(number)
    if product is None or product["status"] != "publish" or product["type"] in ("grouped", "external"):
        raise refuse_product()
    if product["type"] == "variable":
        product = _variation(state, product, given)
    if product["type"] != "variation":
        return Item(product["id"], 0, quantity)
    whole = _complete(state, product, given)
    return Item(product["parent_id"], product["id"], quantity, whole if by_link else dict(sorted(whole.items())))


def _variation(state: State, parent: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    wanted = {name: value.lower() for name, value in named(parent, given).items()}
    for number in parent["variations"]:
        found = state.product(number)
        fixed = {name: value.lower() for name, value in fixed_choices(found).items()} if found else {}
        if found and wanted and all(wanted.get(name) == value for name, value in fixed.items()):
            return found
    text = "No matching variation found."
    raise Refused(400, "woocommerce_rest_variation_id_from_variation_data", text)


def _complete(state: State, variation: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    parent = state.product(variation["parent_id"])
    if parent is None:
        raise refuse_product()
    fixed, chosen = fixed_choices(variation), named(parent, given)
    missing = [label(parent, variation, name) for name in free(parent, variation) if not chosen.get(name)]
    if missing:
        verb = "is a required field" if len(missing) == 1 else "are required fields"
        text = f"Missing variation data for variable product. {', '.join(missing)} {verb}"
        raise Refused(400, "woocommerce_rest_missing_variation_data", text)
    whole = fixed | {name: chosen[name] for name in free(parent, variation)}
    listed = [PREFIX + slug(each) for each in parent["attributes"]]
    return {name: whole[name] for name in (*listed, *whole) if name in whole}


def named(parent: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Return given attributes under the names links have."""
    known = {str(each["name"]).lower(): slug(each) for each in parent["attributes"]}
    found = {}
    for name, value in given.items():
        plain = name.lower().removeprefix(PREFIX)
        place = known.get(plain, plain)
        # The values of the shop's own attributes are words in links: verde-e for Verde-è.
        found[PREFIX + place] = slugify(value) if place.startswith("pa_") else value
    return found


def slug(attribute: dict[str, Any]) -> str:
    """Return an attribute's name in links."""
    return str(attribute.get("slug") or str(attribute["name"]).lower())


def fixed_choices(variation: dict[str, Any]) -> dict[str, str]:
    """Return the attributes a variation fixes, with values as its own link has them."""
    query = dict(parse_qsl(str(variation["path"]).partition("?")[2]))
    told = {name: value for name, value in query.items() if name.startswith(PREFIX)}
    return told or {PREFIX + slug(each): str(each["option"]) for each in variation["attributes"] if each["option"]}


def free(parent: dict[str, Any], variation: dict[str, Any]) -> list[str]:
    """Return the names of the attributes a variation leaves to the shopper."""
    fixed = fixed_choices(variation)
    every = [PREFIX + slug(each) for each in parent["attributes"] if each.get("variation", True)]
    return [name for name in every if name not in fixed]


def label(parent: dict[str, Any], variation: dict[str, Any], name: str) -> str:
    """Return an attribute's name for people."""
    both = (*parent["attributes"], *variation["attributes"])
    return next((str(each["name"]) for each in both if PREFIX + slug(each) == name), name.removeprefix(PREFIX))


def value_shown(parent: dict[str, Any], variation: dict[str, Any], name: str, value: str) -> str:
    """Return a chosen value for people: Verde-è for verde-e."""
    for each in variation["attributes"]:
        if PREFIX + slug(each) == name and fixed_choices(variation).get(name) == value:
            return str(each["option"])
    options = [str(each) for attribute in parent["attributes"] for each in attribute["options"]]
    return next((each for each in options if value.lower() in (each.lower(), slugify(each))), value)


def key(item: Item) -> str:
    """Return the key of a cart line: the same product with the same choices is the same line."""
    parts = [str(item.product_id), *([str(item.variation_id)] if item.variation_id else [])]
    chosen = "".join(name + value for name, value in item.choices.items())
    return hashlib.md5("_".join([*parts, *([chosen] if chosen else [])]).encode(), usedforsecurity=False).hexdigest()
