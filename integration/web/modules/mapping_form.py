"""The form of a person's own mapping rows: what was typed, row by row, with what is to be said at each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from integration.errors import SettingError
from integration.mapping.own_checks import Remark, describe, remarks
from integration.plans import MauticField
from integration.settings import MappingRow
from integration.settings.mapping import ROWS_MAX, rows_of

#: What stands in the form of a row; the rest is remembered by the server.
TYPED = tuple(name for name in MappingRow.model_fields if name not in ("field_type", "field_limit"))
_NAME = re.compile(r"rows\.(\d{1,4})\.([a-z_]+)\Z", re.ASCII)
_SWITCH = "empties"


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of the form: its values as text, errors by field, remarks, and its sentence where it can be read."""

    place: int
    values: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[Remark] = ()
    sentence: str = ""

    @property
    def worst(self) -> str:
        """Return the kind of the gravest thing that is to be said of the row: bad, warn, info or ok."""
        kinds = {"bad"} if self.errors else {remark.kind for remark in self.remarks}
        return next((kind for kind in ("bad", "warn", "info") if kind in kinds), "ok")

    def error(self, name: str) -> str:
        """Return what is wrong with one field of the row, "" for nothing."""
        return self.errors.get(name, "")


def typed(form: MultiDict[str, str], saved: Sequence[MappingRow]) -> list[dict[str, Any]]:
    """Return the rows as they were typed, in their order; one that is like a saved row remembers Mautic's field."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in form.items():
        match = _NAME.match(name)
        if match and match[2] in TYPED:
            found.setdefault(int(match[1]), {})[match[2]] = value
    rows = [{**found[place], _SWITCH: bool(found[place].get(_SWITCH))} for place in sorted(found)]
    known = {(row.kind, row.alias): row for row in saved}
    return [_remembering(row, known.get((row.get("kind", ""), row.get("alias", "")))) for row in rows[: ROWS_MAX + 1]]


def _remembering(row: dict[str, Any], known: MappingRow | None) -> dict[str, Any]:
    return row if known is None else {**row, "field_type": known.field_type, "field_limit": known.field_limit}


def stored(rows: Sequence[MappingRow]) -> list[dict[str, Any]]:
    """Return saved rows as the form has them."""
    return [row.model_dump() for row in rows]


def views(
    rows: Sequence[Mapping[str, Any]], fields: Mapping[str, MauticField], error: SettingError | None = None
) -> list[RowView]:
    """Return the rows with what is to be said of each; `error` is why they were not saved."""
    return [_view(place, row, fields, error) for place, row in enumerate(rows)]


def _view(place: int, row: Mapping[str, Any], fields: Mapping[str, MauticField], error: SettingError | None) -> RowView:
    begin = f"rows.{place}."
    said = [each for each in ((error, *error.others) if error else ()) if each.name.startswith(begin)]
    errors = {each.name.removeprefix(begin): _plain(each) for each in reversed(said)}
    try:
        [read] = rows_of([row])
    except SettingError:
        return RowView(place, row, errors)
    # What is refused stands at its field; elsewhere it is said before anybody saves.
    notes = [each for each in remarks(read, fields) if each.name not in errors]
    return RowView(place, row, errors, notes, describe(read))


def _plain(error: SettingError) -> str:
    """Return what is wrong without the row's number: it stands at the row."""
    return re.sub(r"^Row \d+: ", "", str(error))
