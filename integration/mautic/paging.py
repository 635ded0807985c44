"""Reads a whole list of Mautic, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from integration.errors import ServerFault
from integration.mautic.answers import SERVICE
from integration.mautic.client import MauticClient
from integration.mautic.search import entries

#: Entities in one page; without a limit Mautic gives 30 (dossier 1.2).
PAGE = 500
#: No list of Mautic that is read whole has so many pages.
LIST_MAX_PAGES = 200


def every(
    client: MauticClient, path: str, noun: str, params: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the entities of GET /api/`path`, each once, until a page brings none that is new.

    `total` may be text, number, or missing, so it is not relied upon (mautic:020, mautic:270, mautic:273). Raises
    ServerFault (endless) for
    a list that no Mautic has.
    """
    return paged(lambda start: entries(client.get(path, {**(params or {}), "limit": PAGE, "start": start}), noun), PAGE)


def paged(read: Callable[[int], list[dict[str, Any]]], limit: int) -> Iterator[dict[str, Any]]:
    """Yield what `read(start)` gives, each entity once, until a page is short or brings none that is new."""
    seen: set[int] = set()
    for number in range(LIST_MAX_PAGES):
        page = read(number * limit)
        fresh = [entity for entity in page if number_of(entity) not in seen]
        seen |= {number_of(entity) for entity in fresh}
        yield from fresh
        if len(page) < limit or not fresh:
            return
    hint = "Look for a cache or a plugin that changes Mautic's answers."
    raise ServerFault(SERVICE, "endless", f"A list of Mautic did not end after {LIST_MAX_PAGES:,} pages.", hint)


def number_of(entity: Mapping[str, Any]) -> int:
    """Return an entity's id, 0 without one; it may be text (mautic:326)."""
    text = str(entity.get("id")) if isinstance(entity.get("id"), int | str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
