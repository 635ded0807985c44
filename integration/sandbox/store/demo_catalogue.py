"""The demo shop's catalogue: categories, products, variations and coupons, with names as real shops have them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from integration.sandbox.store.coupon_defaults import blank_coupon
from integration.sandbox.store.state import State

CATEGORIES = (
    ("Uncategorized", "uncategorized"),
    ("Caff&egrave; &amp; T&egrave;".replace("&egrave;", "è"), "caffe-te"),
    ("Vini", "vini"),
    ("Formaggi", "formaggi"),
    ("Abbigliamento", "abbigliamento"),
    ("Acc\"essori 'bold'", "accessori"),
)
# name, sku, regular price, sale price, category, stock (None: not managed)
SIMPLE = (
    ("Espresso Forte 250 g", "SKU-001", "4.90", "3.92", 1, 99999),
    ("Tè verde Sencha", "SKU-002", "12.50", "", 1, 500),
    ("Barolo DOCG 2018", "SKU-003", "49.00", "", 2, None),
    ('Moka "Express" 3 tazze', "SKU-005/ä b", "24.90", "19.92", 5, None),
    ("Tazza 🎁 regalo", "SKU-006", "9.95", "", 5, None),
    ("Кофе молотый", "SKU-012", "12.50", "", 1, None),
    ("Kaffeefilter Größe 4", "SKU-013", "49.00", "39.20", 5, 2000),
    ("Brunello di Montalcino", "SKU-015", "24.90", "", 2, None),
    ("Gorgonzola dolce", "SKU-016", "8.90", "", 3, 300),
    ("Sencha Superior", "SKU-018", "0.01", "", 1, None),
    ("Hōjicha", "SKU-019", "14.00", "", 1, 120),
    ("Pecorino sardo", "SKU-025", "24.90", "19.92", 3, 800),
    ("Senza SKU", "", "7.00", "", 0, None),
    ("Campione gratuito", "FREE-1", "0.00", "", 0, None),
    ("Orologio d'oro", "GOLD-1", "12999.99", "", 5, 3),
    ("Nome molto lungo " * 12, "LONG-1", "5.00", "", 0, None),
)
VARIABLE = (("Maglietta", "VAR-1", "19.90"), ("Felpa 日本", "VAR-3", "34.90"), ("Borsa & tote", "VAR-5", "20.90"))
COLOURS = ("Rosso", "Blu", "Verde-è")
SIZES = ("S", "M", "L")
CHOICES = ((1, "Colore", COLOURS), (2, "Taglia", SIZES))
COUPONS = (
    ("save10", "percent", "10.00"),
    ("five", "fixed_cart", "5.00"),
    ("all100", "percent", "100.00"),
    ("sconto-è-ü", "percent", "15.00"),
)


def slug(text: str) -> str:
    """Return a text as it stands in an address."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "prodotto"


def stock(state: State) -> None:
    """Put the products and coupons in, unless there are some."""
    if state.products:
        return
    for name, word in CATEGORIES:
        number = 15 + len(state.categories)
        state.categories[number] = _category(number, name, word)
    for name, sku, regular, sale, place, count in SIMPLE:
        _add(state, _product(state, name.strip(), sku, regular, sale, place, count))
    for name, sku, price in VARIABLE:
        _variable(state, name, sku, price)
    for code, kind, amount in COUPONS:
        entry = blank_coupon(state.next_id("post"), code, state.now()) | {"discount_type": kind, "amount": amount}
        state.coupons[entry["id"]] = entry
    state.changed()


def _category(number: int, name: str, word: str) -> dict[str, Any]:
    head = {"id": number, "name": name, "slug": word, "parent": 0, "description": "", "display": "default"}
    return {**head, "image": None, "menu_order": 0, "count": 0}


def _add(state: State, entry: dict[str, Any]) -> None:
    state.products[entry["id"]] = entry
    for each in entry.get("categories", []):
        state.categories[each["id"]]["count"] += 1


def _product(
    state: State, name: str, sku: str, regular: str, sale: str, place: int, count: int | None
) -> dict[str, Any]:
    category = list(state.categories.values())[place]
    entry: dict[str, Any] = {
        "id": state.next_id("post"),
        "name": name,
        "slug": slug(name),
        "path": f"/product/{slug(name)}/",
        "created": state.now(),
        "modified": state.now(),
        "type": "simple",
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "description": f"<p>Descrizione di <strong>{name}</strong></p>\n",
        "short_description": "<p>Breve &amp; bello</p>\n",
        "sku": sku,
        **_prices(regular, sale),
        "total_sales": 0,
        **_substance(count),
        "average_rating": "0.00",
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "parent_id": 0,
        "purchase_note": "",
        "categories": [{name: category[name] for name in ("id", "name", "slug")}],
        **{name: [] for name in ("brands", "tags", "images", "attributes", "default_attributes")},
        "variations": [],
        "grouped_products": [],
        "menu_order": 0,
        "price_html": "",
        "related_ids": [],
        "meta_data": [],
        "stock_status": "instock",
        "has_options": False,
        "post_password": "",
        "global_unique_id": "",
    }
    return entry


def _prices(regular: str, sale: str) -> dict[str, Any]:
    dates = dict.fromkeys(
        ("date_on_sale_from", "date_on_sale_from_gmt", "date_on_sale_to", "date_on_sale_to_gmt"), None
    )
    prices = {"price": sale or regular, "regular_price": regular, "sale_price": sale}
    return {**prices, **dates, "on_sale": bool(sale), "purchasable": True}


def _substance(count: int | None) -> dict[str, Any]:
    return {
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "external_url": "",
        "button_text": "",
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": count is not None,
        "stock_quantity": count,
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
        "sold_individually": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_required": True,
        "shipping_taxable": True,
        "shipping_class": "",
        "shipping_class_id": 0,
        "reviews_allowed": True,
    }


def _variable(state: State, name: str, sku: str, price: str) -> None:
    varies = {
        "type": "variable",
        "price": price,
        "has_options": True,
        "attributes": [_attribute(*each) for each in CHOICES],
    }
    parent = _product(state, name, sku, "", "", 4, None) | varies
    _add(state, parent)
    for first, colour in enumerate(COLOURS):
        for second, size in enumerate(SIZES):
            entry = _variation(state, parent, colour, size, f"{sku}-{first}{second}", price)
            parent["variations"].append(entry["id"])
            state.products[entry["id"]] = entry


def _attribute(number: int, name: str, options: tuple[str, ...]) -> dict[str, Any]:
    head = {"id": number, "name": name, "slug": f"pa_{name.lower()}", "position": number - 1}
    return {**head, "visible": True, "variation": True, "options": list(options)}


def _variation(state: State, parent: dict[str, Any], colour: str, size: str, sku: str, price: str) -> dict[str, Any]:
    choices = f"attribute_pa_colore={slug(colour)}&attribute_pa_taglia={size.lower()}"
    dropped = ("sold_individually", "reviews_allowed", "shipping_required", "shipping_taxable", "external_url")
    substance = {key: value for key, value in _substance(None).items() if key not in (*dropped, "button_text")}
    return {
        "id": state.next_id("post"),
        "type": "variation",
        "created": state.now(),
        "modified": state.now(),
        "path": f"{parent['path']}?{choices}",
        "description": "",
        "sku": sku,
        "global_unique_id": "",
        **_prices(price, ""),
        "status": "publish",
        **substance,
        "stock_status": "instock",
        "image": None,
        "attributes": [
            {"id": 1, "name": "Colore", "slug": "pa_colore", "option": colour},
            {"id": 2, "name": "Taglia", "slug": "pa_taglia", "option": size},
        ],
        "menu_order": 0,
        "meta_data": [],
        "name": f"{colour}, {size}",
        "parent_id": parent["id"],
    }
