"""The names of our own contact fields, and the names that Mautic makes of them.

A connector with a name space writes fields of its own: `woo_de_order_data` beside `mautic_woo_order_data`. The start
is never longer than ours, so that no alias is cut to another's.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from integration.settings.naming import NAME_SPACE_MAX_CHARS

ORDER_DATA = "mautic_woo_order_data"
TOTAL_SPENT = "mautic_woo_total_spent"
ORDER_COUNT = "mautic_woo_order_count"
LAST_ORDER = "mautic_woo_last_order_date"
FIRST_ORDER = "mautic_woo_first_order_date"
AVERAGE = "mautic_woo_avg_order_value"
CART_DATA = "mautic_woo_cart_data"
RECOVERY_URL = "mautic_woo_recovery_url"
RFM = "mautic_woo_rfm"
RFM_SEGMENT = "mautic_woo_rfm_segment"
CURRENCY_TOTALS = "mautic_woo_totals_by_currency"
COUPON_CODE = "mautic_woo_coupon_code"
CART_HTML = "mautic_woo_cart_html"

#: Fields that hold JSON: with `items` it is shortened by whole items, any other is left out where it does not fit.
JSON = frozenset({ORDER_DATA, CART_DATA, CURRENCY_TOTALS})
#: Mautic cuts an alias here (mautic:260) and takes a `_` at the end away.
ALIAS_MAX_CHARS = 25
#: It is asked of each text of each contact; a Mautic has some hundred fields.
_ALIASES_KEPT = 1024
_PREFIX, _SPACED = "mautic_woo_", "woo_{}_"
_IN_SPACE = re.compile(rf"woo_([a-z0-9]{{1,{NAME_SPACE_MAX_CHARS}}})_")


def spaced(alias: str, name_space: str) -> str:
    """Return what one of our own fields is called in a name space, "" for none, before Mautic cuts it."""
    return _SPACED.format(name_space) + alias.removeprefix(_PREFIX) if name_space else alias


def name_space_of(alias: str) -> str:
    """Return the name space that an alias begins with, "" where it has none; a person's own field may look alike."""
    found = _IN_SPACE.match(alias)
    return found[1] if found else ""


@lru_cache(maxsize=_ALIASES_KEPT)
def is_json(alias: str) -> bool:
    """Tell whether a field of Mautic is one of ours that hold JSON, in whatever name space."""
    space = name_space_of(alias)
    return any(cut(spaced(each, space)) == alias for each in JSON)


def names_of(alias: str, name_space: str) -> frozenset[str]:
    """Return the names under which one of our own fields of a name space may be met: as wanted, and as cut."""
    wanted = spaced(alias, name_space)
    return frozenset({wanted, cut(wanted)})


def cut(alias: str) -> str:
    """Return the alias that Mautic gives a field made with this one (mautic:260)."""
    return alias[:ALIAS_MAX_CHARS].rstrip("_")


def actual(alias: str, known: Container[str]) -> str | None:
    """Return the alias under which Mautic has the field: as wanted or cut, None when it has neither."""
    if alias in known:
        return alias
    shorter = cut(alias)
    return shorter if shorter in known else None
