"""A person's own mapping rows judged against Mautic's field list: what is refused, and what is said beside a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from integration.errors import SettingError
from integration.events import Kind
from integration.field_errors import gathered
from integration.mapping import field_map
from integration.mapping.fields import check, needs
from integration.mapping.text import shorten
from integration.mapping.values import fit_value
from integration.plans import MauticField
from integration.settings import MappingRow, Modules
from integration.settings.mapping import CONDITIONS, FORMATS, MADE, MADE_VALUES, MappingModule, pairs

_NO_LIST = SettingError(
    "rows",
    "Mautic's list of fields has not been read yet, so the rows cannot be checked.",
    "Connect Mautic and press “Refresh list” under Mautic Fields.",
)
_CHOSEN = ("select", "multiselect")
_SHOWN_MAX = 5
_DEFAULT_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence at a row: `kind` is bad for what is refused, warn for what may lose a value, info for what to know.

    `name` is the row's field that it is about.
    """

    kind: str
    name: str
    sentence: str
    hint: str = ""


def checked(before: Modules, after: Modules, fields: Mapping[str, MauticField]) -> Modules:
    """Return settings whose own rows remember Mautic's fields as they are now; raises SettingError for what is refused.

    A row that was saved before may stay although its field is gone by now: the others must not wait for it.
    """
    rows = after.mapping.rows
    if rows and not fields:
        raise _NO_LIST
    saved = {_unstamped(row) for row in before.mapping.rows}
    wrong = [
        SettingError(f"rows.{place}.{remark.name}", f"Row {place + 1}: {remark.sentence}", remark.hint)
        for place, row in enumerate(rows)
        for remark in remarks(row, fields)
        if remark.kind == "bad" and not (_unstamped(row) in saved and row.alias not in fields)
    ]
    if wrong:
        raise gathered(wrong)
    stamped = tuple(_stamped(row, fields.get(row.alias)) for row in rows)
    return after.model_copy(update={"mapping": MappingModule.model_construct(rows=stamped)})


def _unstamped(row: MappingRow) -> MappingRow:
    return row.model_copy(update={"field_type": "", "field_limit": None})


def _stamped(row: MappingRow, field: MauticField | None) -> MappingRow:
    if field is None:
        return row
    return row.model_copy(update={"field_type": field.type, "field_limit": field.limit})


def remarks(row: MappingRow, fields: Mapping[str, MauticField]) -> list[Remark]:
    """Return what is to be said of a row that reads well; nothing of Mautic while its list is not known."""
    if field_map.is_made_by_us(row.alias):
        sentence = f"“{row.alias}” is filled by woo-mautic itself."
        return [Remark("bad", "alias", sentence, "Choose a field of your own.")]
    field = fields.get(row.alias)
    if field is None:
        return [_missing(row)] if fields else []
    return [*_refused(row, field), *_of_field(row, field), *_beside(row)]


def lost(modules: Modules, fields: Mapping[str, MauticField]) -> list[str]:
    """Return a sentence for each field of own rows in use that Mautic has lost or changed since they were saved."""
    own = [need for need in needs(modules) if need.own]
    return [found.sentence for found in check(own, fields) if found.state != "present"] if fields else []


def _missing(row: MappingRow) -> Remark:
    sentence = f"Mautic has no field “{row.alias}”, so its value would be lost."
    return Remark("bad", "alias", sentence, "Choose another field, or make it in Mautic and refresh the list.")


def _refused(row: MappingRow, field: MauticField) -> list[Remark]:
    found = []
    if field.unique:
        sentence = f"“{_name(field)}” is a unique identifier: Mautic would take two people with one value for one."
        found.append(Remark("bad", "alias", sentence, "Choose another field, or switch that off in Mautic."))
    if row.default and (sentence := _unfit(field, row.default)):
        found.append(Remark("bad", "default", sentence, "Write a value that the field takes."))
    return found


def _unfit(field: MauticField, value: str) -> str:
    """Return why Mautic's field would not take a value as it is, "" when it would."""
    _, said = fit_value(replace(field, published=True), value)
    return next((each.sentence for each in said if each.kind in ("left_out", "shortened")), "")


def _of_field(row: MappingRow, field: MauticField) -> list[Remark]:
    found = []
    if not field.published:
        sentence = f"“{_name(field)}” is not published, so its value is left out."
        found.append(Remark("warn", "alias", sentence, "Publish it in Mautic."))
    if row.field_type and row.field_type != field.type:
        sentence = f"“{_name(field)}” was a {row.field_type} field when the row was saved and is a {field.type} field."
        found.append(Remark("warn", "alias", sentence, "Try the row, then save it again."))
    elif row.field_limit and field.limit and field.limit < row.field_limit:
        sentence = f"“{_name(field)}” held {row.field_limit} characters and holds {field.limit} now."
        found.append(Remark("warn", "alias", sentence, "Longer values are shortened; save again to accept that."))
    if field.required and not row.default:
        sentence = f"“{_name(field)}” is required: Mautic refuses a new contact without it."
        found.append(Remark("warn", "default", sentence, "Give a value for when the store has none."))
    return [*found, *_choices(row, field)]


def _choices(row: MappingRow, field: MauticField) -> list[Remark]:
    if field.type == "multiselect" and (row.format, row.argument) != ("list", "|") and row.format != "map":
        sentence = f"“{_name(field)}” takes several choices with | between them."
        return [Remark("info", "format", sentence, "Choose the format “List, joined” with the detail |.")]
    if field.type not in _CHOSEN or row.format != "map":
        return []
    odd = [sent for sent in dict.fromkeys(pairs(row.argument).values()) if sent and _unfit(field, sent)]
    if not odd:
        return []
    listed = ", ".join(field.choices[:_SHOWN_MAX])
    sentence = f"Mautic's list of “{_name(field)}” has no “{'”, “'.join(odd[:_SHOWN_MAX])}”, so it is left out."
    return [Remark("warn", "argument", sentence, f"It has {listed}.")]


def _beside(row: MappingRow) -> list[Remark]:
    fixed = field_map.fixed(Kind(row.kind), row.alias)
    if not fixed:
        return []
    sentence = f"{fixed[0].label} is filled from {fixed[0].source} as well; this row goes before it."
    return [Remark("info", "alias", sentence, "Where this row gives nothing, the usual value is sent.")]


def describe(row: MappingRow) -> str:
    """Return a row in one sentence, for versions and the audit log."""
    default = f", “{shorten(row.default, _DEFAULT_SHOWN_CHARS)}” when blank" if row.default else ""
    emptied = ", emptied when blank" if row.empties and not row.default else ""
    how = "" if row.format == "as_is" else f" as {FORMATS[row.format].partition(' (')[0]}{_detail(row)}"
    return f"{called(row.kind, row.source)}{how}{default}{emptied}{_when(row)}"


def called(kind: str, path: str) -> str:
    """Return what people call a value of the store: the words for one that is made, else its path."""
    root, _, name = path.partition(".")
    return MADE_VALUES.get(kind, {}).get(name, path) if root == MADE else path


def _detail(row: MappingRow) -> str:
    return f" ({'; '.join(row.argument.split(chr(10)))})" if row.argument else ""


def _when(row: MappingRow) -> str:
    if row.condition == "always":
        return ""
    words = CONDITIONS[row.condition].replace("this value", called(row.kind, row.condition_path)).lower()
    return f", {words} “{row.condition_value}”" if row.condition_value else f", {words}"


def difference(before: Sequence[MappingRow], after: Sequence[MappingRow]) -> dict[str, list[str | None]]:
    """Return {"order → vat_number": [before, after]} of two lists of rows; a row that is not there is None.

    Rows that only stand in another order are told when they fill one field, where the order decides.
    """
    old, new = _by_field(before), _by_field(after)
    return {
        name: [old.get(name), new.get(name)] for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)
    }


def _by_field(rows: Sequence[MappingRow]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        name = f"{row.kind} → {row.alias}"
        found[name] = f"{found[name]}; else {describe(row)}" if name in found else describe(row)
    return found


def _name(field: MauticField) -> str:
    return field.label or field.alias
