"""What an act on many was asked for: the ticked rows, or plainly everything that matches; never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integration.errors import SettingError
from integration.url_filters import LEFT_OUT, id_of, without

#: More ticks than a page has rows cannot come from a page.
TICKED_MAX_ROWS = 500
#: The form field that says that no row was picked because all that match are meant.
EVERYTHING = "everything"
_BACK = "Nothing was changed. Go back, and choose again."


def ticked(values: Sequence[str]) -> list[int]:
    """Return the ids of the ticked rows, sorted; raises SettingError (id) when one is not an id or there are too many.

    An id that cannot be read must not shrink the selection, and least of all leave it empty.
    """
    wrong = next((value for value in values if id_of(value) is None), None)
    if wrong is not None:
        raise SettingError("id", f"“{wrong[:40]}” is no number of a record.", _BACK)
    if len(values) > TICKED_MAX_ROWS:
        raise SettingError(
            "id", f"{len(values):,} rows were ticked; at most {TICKED_MAX_ROWS} are taken at once.", _BACK
        )
    return sorted({int(value) for value in values})


def filter_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return what of a URL or a form says the filter; every other name is one that its filter has to know."""
    return without(values, "csrf_token", "id", EVERYTHING, "act", "what", "reason")


def understood(notices: Sequence[str]) -> None:
    """Raise SettingError (filter) when a value of the filter could not be read: without it more would be meant."""
    if notices:
        raise SettingError("filter", notices[0].removesuffix(f" {LEFT_OUT}").removesuffix(" It was left out."), _BACK)


def meant_all(form: Mapping[str, str]) -> None:
    """Raise SettingError (id) unless the form says that all that match are meant."""
    if form.get(EVERYTHING) != "yes":
        raise SettingError("id", "No record was chosen.", _BACK)
