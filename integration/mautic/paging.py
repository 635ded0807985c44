"""Reads a whole list of Mautic, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from integration.mautic.client import MauticClient
from integration.mautic.search import entries

#: Entities in one page; without a limit Mautic gives 30 (dossier 1.2).
PAGE = 500


def every(
    client: MauticClient, path: str, noun: str, params: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the entities of GET /api/`path`, each once, until a page brings none that is new.

    `total` may be text, number, or missing, so it is not relied upon (020, 270, 273).
    """
    seen: set[int] = set()
    start = 0
    while True:
        page = entries(client.get(path, {**(params or {}), "limit": PAGE, "start": start}), noun)
        fresh = [entity for entity in page if number_of(entity) not in seen]
        seen |= {number_of(entity) for entity in fresh}
        yield from fresh
        start += len(page)
        if len(page) < PAGE or not fresh:
            return


def number_of(entity: Mapping[str, Any]) -> int:
    """Return an entity's id, 0 without one; it may be text (326)."""
    value = entity.get("id")
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0
