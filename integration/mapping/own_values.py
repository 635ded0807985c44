"""The values that a person's own mapping rows give (P16): looked up, tried by their conditions, formatted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any

from integration.events import Kind
from integration.mapping import field_map
from integration.mapping.field_map import FieldRow
from integration.mapping.formats import Unfit, formatted, is_empty, parts, text_of
from integration.mapping.made_values import Record, made
from integration.mapping.paths import inside
from integration.mapping.text import clean
from integration.plans import Adjustment, Value, is_blank
from integration.records import Cart
from integration.settings import Modules
from integration.settings.mapping import MappingRow, is_made

_SHOWN_CHARS = 60
#: Stands for a value that was not asked of the store when the record was read.
UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class OwnValues:
    """What own rows give: alias -> value, what could not be sent as it is, and every field that has an own row."""

    values: Mapping[str, Value] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    aliases: frozenset[str] = frozenset()

    def over(self, fixed: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values with those of the fixed rows below them: an own row goes before a fixed one."""
        return {**fixed, **self.values}

    def left(self, said: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
        """Return what is said of the fixed rows' values, without those that an own row's value stands for."""
        return tuple(each for each in said if each.field not in self.values)


@dataclass(frozen=True, slots=True)
class Found:
    """What one row makes of a record: whether it `applies`, the store's value, what is written, and what is to be said.

    `written` None leaves the field as it is; `how` is value, default, emptied, blank, condition, unread or unfit.
    """

    applies: bool
    how: str
    store: Any = None
    written: Value = None
    adjustment: Adjustment | None = None


def own_values(record: Record, kind: Kind, modules: Modules) -> OwnValues:
    """Return what the own rows of this kind give for a record: of those for one field, the first that applies."""
    rows = field_map.own(kind, modules)
    if not rows:
        return OwnValues()
    values: dict[str, Value] = {}
    said: list[Adjustment] = []
    decided: set[str] = set()
    look = Look(record)
    for row in rows:
        if row.alias in decided:
            continue
        found = look.at(row)
        if found.applies:
            decided.add(row.alias)
            said += [found.adjustment] if found.adjustment else []
        if found.applies and found.written is not None:
            values[row.alias] = found.written
    return OwnValues(values, tuple(said), frozenset(row.alias for row in rows))


def untouched(fixed: Mapping[str, Value], kind: Kind, modules: Modules) -> dict[str, Value]:
    """Return the fixed rows' values without the fields that own rows fill: those are none of this record's matter."""
    own = {row.alias for row in field_map.own(kind, modules)}
    return {alias: value for alias, value in fixed.items() if alias not in own}


def emptied(kind: Kind, modules: Modules) -> dict[str, Value]:
    """Return the fields that own rows empty when the store has nothing for them any more."""
    return {row.alias: "" for row in field_map.own(kind, modules) if row.rule is not None and row.rule.empties}


class Look:
    """One record, looked at by rows."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._whole: Mapping[str, Any] | None = None

    def at(self, row: FieldRow) -> Found:
        """Return what an own row makes of the record."""
        rule = row.rule
        if rule is None:
            raise ValueError(f"{row.alias} is no own row.")
        value = self.value(rule.source)
        asked = self.value(rule.condition_path) if rule.condition != "always" else None
        if value is UNKNOWN or asked is UNKNOWN:
            return Found(True, "unread")
        if not _holds(rule, asked):
            return Found(False, "condition", value)
        return _written(rule, value)

    def value(self, path: str) -> Any:
        """Return the record's value at a path, None where it has none, UNKNOWN where it was not asked for."""
        if is_made(path):
            return made(self._record, path.partition(".")[2])
        if isinstance(self._record, Cart):
            self._whole = self._whole or asdict(self._record)
            return _plain(inside(self._whole, path))
        if path in field_map.ATTRIBUTES:
            return attrgetter(path)(self._record)
        return self._record.mapped.get(path, UNKNOWN)


def _plain(value: Any) -> Any:
    """Return a cart's value as JSON has it: amounts and moments as text."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _holds(rule: MappingRow, value: Any) -> bool:
    if rule.condition == "always":
        return True
    if rule.condition in ("is_set", "not_set"):
        return is_empty(value) == (rule.condition == "not_set")
    wanted = rule.condition_value.casefold()
    if rule.condition == "equals":
        return text_of(value).casefold() == wanted
    if isinstance(value, Mapping | list | tuple):
        return any(wanted in text_of(part).casefold() for part in parts(value))
    return wanted in text_of(value).casefold()


def _written(rule: MappingRow, value: Any) -> Found:
    if is_empty(value):
        return _blank(rule, value)
    try:
        made = formatted(rule.format, rule.argument, value)
    except Unfit as error:
        shown = clean(text_of(value))[:_SHOWN_CHARS]
        adjustment = Adjustment(rule.alias, "left_out", f"“{shown}” {error}, so “{rule.alias}” was left out.")
        return Found(True, "unfit", value, adjustment=adjustment)
    return _blank(rule, value) if is_blank(made) else Found(True, "value", value, made)


def _blank(rule: MappingRow, value: Any) -> Found:
    if rule.default:
        return Found(True, "default", value, rule.default)
    return Found(True, "emptied", value, "") if rule.empties else Found(True, "blank", value)
