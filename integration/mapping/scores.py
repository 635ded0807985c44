"""A buyer's RFM classes as contact fields and as one word (X14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from integration.events import Kind
from integration.mapping import field_map
from integration.plans import ContactWrite, Plan, Skip, Value
from integration.records import Score
from integration.settings import Modules, where

OFF = Skip("rfm_off", f"RFM is switched off; switch it on under {where('orders.rfm')}.")
NO_CONTACT = Skip("no_contact", "The buyer is no contact in Mautic, so there is nobody to give the classes to.")

#: Word of a segment -> what it means, in the order of pages.
SEGMENTS: Mapping[str, str] = {
    "champions": "Bought lately, often and for much",
    "loyal": "Bought not long ago, and more or oftener than most",
    "recent": "Bought lately, not yet often or for much",
    "promising": "Bought neither lately nor long ago, and little so far",
    "at_risk": "Were among the best, and have not bought for long",
    "cooling": "Bought as much as most, and have not bought for long",
    "lapsed": "Bought little, and long ago",
}

VALUES: Mapping[str, Callable[[Score], Value]] = {
    "rfm.classes": lambda score: classes(score),
    "rfm.segment": lambda score: segment(score),
}


def plan(score: Score, modules: Modules, *, known: bool) -> Plan | Skip:
    """Return the fields of a buyer's classes, empty ones for who has none any more, or why nothing is written.

    Only keys of addresses are kept with orders: the contact is found by its link, so nobody else can be told.
    """
    if not (modules.orders.enabled and modules.orders.rfm):
        return OFF
    if not known:
        return NO_CONTACT
    rows = field_map.written(Kind.SCORE, modules)
    return Plan(ContactWrite("", {row.alias: VALUES[row.source](score) for row in rows}))


def classes(score: Score) -> str:
    """Return recency, frequency and monetary as three digits, 5 the best: "543"; "" without orders that count."""
    return f"{score.recency}{score.frequency}{score.monetary}" if score.recency else ""


def segment(score: Score) -> str:
    """Return the segment's word, "" without orders that count.

    It is told by recency and by the mean of the two others, halves rounded up.
    """
    if not score.recency:
        return ""
    worth = (score.frequency + score.monetary + 1) // 2
    if score.recency <= 2:
        return "at_risk" if worth >= 4 else "cooling" if worth == 3 else "lapsed"
    if worth <= 2:
        return "recent" if score.recency >= 4 else "promising"
    return "champions" if worth >= 4 and score.recency >= 4 else "loyal"
