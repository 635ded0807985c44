"""Whether a list moves on and comes whole: told by its ids and by the store's own total, never taken for granted."""

from __future__ import annotations

from dataclasses import replace

from integration.errors import NotSetUp, Rejected
from integration.store.access import SERVICE
from integration.store.pages import ListPosition, Piece
from integration.store.rows import Failure

SHORT_LIST = "short_list"
#: So many known rows in a row, on ground that was never read, and the list does not move on: no store is given so many
#: orders with lower ids meanwhile.
STALE_MAX_ROWS = 200
_HINT = (
    "Exclude /wp-json/ from every cache (plugin, host, CDN), and see that the web server passes on what stands behind "
    "the question mark of an address."
)


def same_page() -> NotSetUp:
    """Return the error of a list whose pages are not the ones that were asked for."""
    sentence = "The store gives the same page again: a cache or a dropped query string keeps its list from being read."
    return NotSetUp(SERVICE, "same_page", sentence, _HINT)


class Progress:
    """Watches one reading of a list; `repeated` and `unsorted` look at a page before it is taken."""

    def __init__(self) -> None:
        self._furthest = 0
        self._stale = 0

    def unsorted(self, piece: Piece) -> bool:
        """Tell whether more is to come behind a page whose rows do not rise by id, as was asked: nobody could go on."""
        ids = [row["id"] for row in piece.rows]
        seen = piece.offset + piece.count
        more = piece.count >= piece.limit if piece.total is None else seen < piece.total
        return more and ids != sorted(ids)

    def begins_again(self, place: ListPosition, piece: Piece) -> bool:
        """Tell whether a page from further on begins as the list does; one look at the beginning makes it sure."""
        return bool(piece.offset and piece.rows and place.first_id) and piece.rows[0]["id"] <= place.first_id

    def stands_still(self, place: ListPosition, piece: Piece) -> bool:
        """Tell, of a page that was taken, whether it is one too many that brought nothing but known rows."""
        end = piece.offset + piece.count
        known = len(piece.rows) > place.overlap and piece.rows[-1]["id"] <= place.last_id
        if not known:
            self._stale = 0
        elif end > self._furthest:
            self._stale += len(piece.rows)
        self._furthest = max(self._furthest, end)
        return self._stale >= STALE_MAX_ROWS


def counted(place: ListPosition, piece: Piece, taken: int) -> ListPosition:
    """Return the place with what a page gave and did not give, and with the list's first row."""
    first = place.first_id or (piece.rows[0]["id"] if piece.rows and not piece.offset else 0)
    return replace(place, first_id=first, taken=place.taken + taken, hidden=place.hidden + piece.lacks)


def shortfall(path: str, place: ListPosition) -> list[Failure]:
    """Return what the store counts and did not give, as a failure, nothing when the list came whole.

    Rows that came into the list meanwhile are counted by the store as well, so only as many are missing as positions
    were asked for in vain.
    """
    missing = min(place.hidden, (place.total or 0) - place.taken)
    if missing <= 0:
        return []
    noun = f"{missing:,} of the {place.total or 0:,} {path}"
    sentence = (
        f"The store counts {place.total or 0:,} {path} but gives {place.taken:,}: a cache, a filter or a plugin of the "
        "store, or the rights of the key, hide the rest."
    )
    return [(noun, Rejected(SERVICE, SHORT_LIST, sentence, "Look for it there, then run a full sync."))]
