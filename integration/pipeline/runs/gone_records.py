"""Records that we know and a list of the store has no more: what is missing in it while its pages are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from integration.store.pages import Page

#: So many missing records are asked for in one run; the next one goes on.
ASKED_MAX = 1000

#: Returns ids that we know, rising: above the first, up to the second where there is one, so many at most.
Known = Callable[[int, int | None, int], list[int]]


def compared(place: Mapping[str, Any] | None, page: Page, known: Known) -> dict[str, Any]:
    """Return the place after a page of the list of all records, which rises by id.

    {"to": id of the last row, "ids": missing ones so far, "whole": whether the list came whole until here}
    """
    before = dict(place or {"to": 0, "ids": [], "whole": True})
    there = {row["id"] for row in page.rows}
    to = max(there, default=before["to"])
    here = known(before["to"], to, ASKED_MAX + len(there))
    missing = [number for number in here if number not in there]
    room = ASKED_MAX - len(before["ids"])
    return {"to": to, "ids": before["ids"] + missing[: max(room, 0)], "whole": before["whole"] and not page.failed}


def suspects(place: Mapping[str, Any] | None, known: Known) -> list[int]:
    """Return the ids to ask the store for after the last page: none of a list that did not come whole."""
    if not place or not place["whole"]:
        return []
    return [*place["ids"], *known(place["to"], None, ASKED_MAX)][:ASKED_MAX]
