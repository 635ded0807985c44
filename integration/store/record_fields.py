"""One record of the store, read field by field: what decides must be readable, what only decorates never blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from integration.errors import MappingError
from integration.store.dates import moment
from integration.store.php_values import amount, decoded, entries_of, is_nothing, map_of, shown, whole
from integration.store.sanitizing import clean, fitting, text_of

T = TypeVar("T")


class Fields:
    """The fields of one map. A field that `decides` raises MappingError naming it where it cannot be read.

    Any other is empty then, and its path ("line_items.price") stands in `unread`, each once, in the order met.
    """

    def __init__(self, raw: Mapping[str, Any], path: str = "", unread: dict[str, None] | None = None) -> None:
        self.raw = raw
        self.path = path
        self._unread: dict[str, None] = {} if unread is None else unread

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the paths of what could not be read so far."""
        return tuple(self._unread)

    def text(self, name: str, *, decides: bool = False) -> str:
        """Return a text or number as text, as the store wrote it."""
        value = self.raw.get(name)
        if type(value) is str:
            # What nearly all of them are, without the detour that tells what else is wrong.
            return clean(value) if value.strip() else ""
        return self._read(name, lambda value: self._plain(name, value), "", decides)

    def words(self, name: str) -> str:
        """Return a text for people, its entities decoded once."""
        text = self.text(name)
        return decoded(text) if "&" in text else text

    def column(self, name: str, longest: int, *, decides: bool = False) -> str:
        """Return a text that goes into a column of so many characters; "0" is nothing."""
        return self._read(name, lambda value: self._fitting(name, value, longest), "", decides)

    def whole(self, name: str) -> int:
        """Return a number that is not negative, 0 for none."""
        return self._read(name, lambda value: self._number(name, value), 0, False)

    def amount(self, name: str, *, decides: bool = False) -> Decimal:
        """Return an amount, 0 for nothing."""
        return self._read(name, lambda value: amount(value, self.path + name), Decimal(0), decides)

    def moment(self, name: str, *, decides: bool = False) -> datetime | None:
        """Return a date as aware UTC, None for nothing."""
        return self._read(name, lambda value: moment(value, self.path + name), None, decides)

    def day(self, name: str) -> str:
        """Return the day of a date as YYYY-MM-DD, in the zone it is written in; "" for nothing."""
        at = self.moment(name)
        return self.text(name).strip()[:10] if at is not None else ""

    def map(self, name: str, *, decides: bool = False) -> Fields:
        """Return the fields of a map, of an empty one where there is nothing."""
        empty: Mapping[str, Any] = {}
        raw = self._read(name, lambda value: self._map(name, value), empty, decides)
        return Fields(raw, f"{self.path}{name}.", self._unread)

    def maps(self, name: str, *, decides: bool = False) -> list[Fields]:
        """Return the fields of each map of a list; an entry that is no map counts as the whole field does."""
        rows = entries_of(self.raw.get(name))
        if decides:
            rows = [self._map(name, row) for row in rows]
        elif not all(isinstance(row, Mapping) for row in rows):
            self._miss(name)
        return [Fields(row, f"{self.path}{name}.", self._unread) for row in rows if isinstance(row, Mapping)]

    def _read(self, name: str, read: Callable[[Any], T], nothing: T, decides: bool) -> T:
        value = self.raw.get(name)
        if value is None:
            # A list of few fields has none of the others.
            return nothing
        try:
            return nothing if is_nothing(value) else read(value)
        except MappingError:
            if decides:
                raise
        self._miss(name)
        return nothing

    def _miss(self, name: str) -> None:
        self._unread.setdefault(self.path + name)

    def _plain(self, name: str, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._bad_shape(name, value, "text")
        return text_of(value)

    def _fitting(self, name: str, value: Any, longest: int) -> str:
        text = self._plain(name, value).strip()
        # The capitals of a text may be longer than it is.
        fitting(text.upper(), self.path + name, longest)
        return "" if text == "0" else text

    def _number(self, name: str, value: Any) -> int:
        found = whole(value)
        if not found and value not in (0, "0", "0.0"):
            raise self._bad_shape(name, value, "number")
        return found

    def _map(self, name: str, value: Any) -> Mapping[str, Any]:
        found = map_of(value)
        if found is None:
            raise self._bad_shape(name, value, "map")
        return found

    def _bad_shape(self, name: str, value: Any, wanted: str) -> MappingError:
        sentence = f"“{shown(value)}” in {self.path}{name} is no {wanted}."
        return MappingError("bad_shape", sentence, "Look for a plugin that changes the answers of the store's API.")
