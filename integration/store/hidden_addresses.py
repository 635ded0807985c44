"""A CDN that hides e-mail addresses: every record comes with the same placeholder, and none of them is at fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from integration.errors import NotSetUp
from integration.mapping.emails import HIDDEN, HIDDEN_CAUSE, is_hidden
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.store.pages import Page
from integration.store.php_values import map_of
from integration.store.rows import Row, rows_of, sifted
from integration.store.sanitizing import text_of

#: So many of the newest orders tell whether the placeholder stands for all, or in some records by mistake.
_SAMPLE_ROWS = 10


def refuse(client: StoreClient, pages: Iterable[Page]) -> Iterator[Page]:
    """Yield the pages; raises NotSetUp (email_hidden) before one whose addresses, and all of the sample, are hidden."""
    for page in pages:
        if _all_hidden(page.rows):
            look(client)
        yield page


def look(client: StoreClient) -> None:
    """Read the newest orders; raises NotSetUp (email_hidden) when all their addresses are hidden, or ServiceError."""
    if are_hidden(client):
        raise NotSetUp(SERVICE, HIDDEN, *HIDDEN_CAUSE)


def are_hidden(client: StoreClient) -> bool:
    """Tell whether the addresses of the newest orders are hidden, at one call; raises ServiceError."""
    value, answer = client.get("orders", {"per_page": _SAMPLE_ROWS, "_fields": "id,billing.email"})
    rows, _ = sifted(rows_of(value, answer))
    return _all_hidden(rows)


def _all_hidden(rows: Iterable[Row]) -> bool:
    found = (is_hidden(address) for row in rows for address in _addresses(row) if address)
    # The first one that is not tells.
    return next(found, False) and all(found)


def _addresses(row: Row) -> tuple[str, str]:
    return text_of(row.get("email")), text_of((map_of(row.get("billing")) or {}).get("email"))
