"""Coupons of the store: made many at once, found again, changed, deleted; and whether free shipping can be had."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration.errors import Rejected
from integration.http.transport import Answer
from integration.store.access import SERVICE
from integration.store.answers import plain_text, unreadable
from integration.store.by_id import pick
from integration.store.client import StoreClient
from integration.store.php_values import map_of, whole
from integration.store.rows import row_id, rows_of, sifted
from integration.store.sanitizing import text_of

#: So many coupons go into one call (woo:166).
BATCH_MAX = 100
TAKEN = "exists"
#: Requirements of WooCommerce's free shipping that a coupon can fulfil (storefront:049 to storefront:051).
_BY_COUPON = ("coupon", "either", "both")
_READ = "id,email_restrictions,usage_count"

Coupon = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cleared:
    """What became of coupons that were to go: ids of those deleted now, missing before, used by an order, or kept.

    A used one belongs to its order and stays. Kept are those that the store did not delete, or could not tell of.
    """

    deleted: frozenset[int] = frozenset()
    missing: frozenset[int] = frozenset()
    used: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()

    @property
    def gone(self) -> frozenset[int]:
        """Return those that the store has no more."""
        return self.deleted | self.missing


def same_code(one: str, other: str) -> bool:
    """Tell whether two codes are one coupon: shops from version 10 on write them in small letters (storefront:110)."""
    return one.strip().casefold() == other.strip().casefold()


def write_coupons(
    client: StoreClient, new: Sequence[Coupon], changed: Sequence[Coupon] = ()
) -> tuple[list[Coupon | Rejected], list[Coupon | Rejected]]:
    """Make and change coupons, at most a hundred, in one call; return for each the coupon or why it was refused.

    The code of a refusal is TAKEN where the code is one of a coupon that is there. Raises ServiceError.
    """
    asked = {"create": [dict(each) for each in new], "update": [dict(each) for each in changed]}
    value, answer = client.post("coupons/batch", {name: rows for name, rows in asked.items() if rows})
    return _written(value, answer, "create", len(new)), _written(value, answer, "update", len(changed))


def _written(value: Any, answer: Answer, name: str, count: int) -> list[Coupon | Rejected]:
    rows = (value.get(name) if isinstance(value, dict) else None) or []
    if not isinstance(rows, list) or len(rows) != count or not all(isinstance(row, dict) for row in rows):
        raise unreadable(answer)
    return [_refusal(row) or row for row in rows]


def _refusal(row: Mapping[str, Any]) -> Rejected | None:
    error = map_of(row.get("error"))
    if not error:
        return None
    told = text_of(error.get("code"))
    said = plain_text(text_of(error.get("message"))).rstrip(".") or told
    code = TAKEN if told.endswith("already_exists") else "rejected"
    return Rejected(SERVICE, code, f"The store refused the coupon: {said}.", "Look at the coupon's settings.")


def find_coupon(client: StoreClient, code: str) -> Coupon | None:
    """Return the coupon with a code, None where there is none; raises ServiceError."""
    value, answer = client.get("coupons", {"code": code})
    rows = sifted(rows_of(value, answer))[0]
    return next((row for row in rows if same_code(text_of(row.get("code")), code)), None)


def id_of(client: StoreClient, code: str) -> int | None:
    """Return the id of the coupon with a code, None where the store has none; raises ServiceError."""
    coupon = find_coupon(client, code)
    return row_id(coupon) if coupon else None


def read_coupons(client: StoreClient, ids: Collection[int]) -> tuple[dict[int, Coupon], set[int]]:
    """Return id -> coupon of those that are there, and the ids that the store could not tell of; a hundred a call.

    A coupon is its id, whose it is and how often it was used. Raises ServiceError.
    """
    pages = list(pick(client, "coupons", {"_fields": _READ}, sorted(set(ids)))) if ids else []
    there: dict[int, Coupon] = {row["id"]: row for page in pages for row in page.rows}
    # What is missing where something could not be read may be just that.
    return there, set(ids) - there.keys() if any(page.failed for page in pages) else set()


def delete_coupons(client: StoreClient, ids: Sequence[int]) -> set[int]:
    """Delete coupons for good, a hundred a call (storefront:109), and return those that the store keeps.

    One that is gone counts as kept: it is told with an error. Raises ServiceError.
    """
    kept: set[int] = set()
    for start in range(0, len(ids), BATCH_MAX):
        part = list(ids[start : start + BATCH_MAX])
        value, answer = client.post("coupons/batch", {"delete": part})
        rows = rows_of(value.get("delete") if isinstance(value, dict) else None, answer)
        kept |= set(part) - {row_id(row) for row in rows if isinstance(row, dict) and not row.get("error")}
    return kept


def delete_unused(client: StoreClient, ids: Collection[int]) -> Cleared:
    """Delete the coupons that no order has used; raises ServiceError. Two calls for a hundred."""
    there, unread = read_coupons(client, ids)
    used = frozenset(number for number, coupon in there.items() if whole(coupon.get("usage_count")))
    unused = there.keys() - used
    kept = delete_coupons(client, sorted(unused))
    missing = frozenset(ids) - there.keys() - unread
    return Cleared(frozenset(unused - kept), missing, used, frozenset(kept | unread))


def has_free_shipping(client: StoreClient) -> bool:
    """Tell whether a zone has free shipping that a coupon gives; without one such a coupon changes nothing.

    Raises ServiceError. Costs one call, and one for each zone up to the first that has it.
    """
    value, answer = client.get("shipping/zones")
    for zone in (row for row in rows_of(value, answer) if isinstance(row, dict)):
        number = 0 if zone.get("id") in (0, "0") else row_id(zone)
        methods, told = client.get(f"shipping/zones/{number}/methods")
        if any(_gives(row) for row in rows_of(methods, told) if isinstance(row, dict)):
            return True
    return False


def _gives(method: Mapping[str, Any]) -> bool:
    settings = map_of(method.get("settings")) or {}
    requires = text_of((map_of(settings.get("requires")) or {}).get("value"))
    return method.get("method_id") == "free_shipping" and method.get("enabled") is True and requires in _BY_COUPON
