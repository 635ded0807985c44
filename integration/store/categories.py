"""Which categories the store's products are in, a hundred products a call (woo:120, woo:130)."""

from __future__ import annotations

from collections.abc import Collection

from integration.store.client import StoreClient
from integration.store.completeness import same_page
from integration.store.php_values import entries_of, map_of
from integration.store.rows import Row, rows_of, sifted
from integration.store.sanitizing import text_of

#: So many ids are asked for in one call, which is the longest page there is (woo:459).
ASKED_MAX = 100


def read_categories(client: StoreClient, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return product id -> slugs of its categories as WordPress writes them ("%e6%97%a5" for 日), none for one gone.

    An order's line names the product of a variation, so the ids are never those of variations (woo:058). A failing page
    is not divided: tags are not worth a hundred calls. Raises ServiceError.
    """
    wanted = sorted(set(ids))
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(wanted), ASKED_MAX):
        part = wanted[start : start + ASKED_MAX]
        params = {"include": part, "per_page": ASKED_MAX, "orderby": "id", "_fields": "id,categories"}
        rows = sifted(rows_of(*client.get("products", params)))[0]
        if not {row["id"] for row in rows} <= set(part):
            raise same_page()
        found |= dict.fromkeys(part, ()) | {row["id"]: _slugs(row) for row in rows}
    return found


def _slugs(row: Row) -> tuple[str, ...]:
    slugs = (text_of((map_of(each) or {}).get("slug")).strip() for each in entries_of(row.get("categories")))
    return tuple(dict.fromkeys(filter(None, slugs)))
