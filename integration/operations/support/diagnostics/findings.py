"""What becomes of each field of a sample: the store's value, what would be sent, and why (E4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from integration.events import Kind
from integration.mapping import aliases, field_map
from integration.mapping.field_values import Record, first_given
from integration.mapping.fields import fit
from integration.plans import NO_FIELD, Adjustment, ContactWrite, MauticField, Plan, Value, is_blank
from integration.records import Order
from integration.settings import Modules
from integration.streams import orders as orders_stream


class State(StrEnum):
    """What would become of a field."""

    PRESENT = "PRESENT"
    MISSING = "MISSING"
    DEFAULT_USED = "DEFAULT_USED"
    INVALID = "INVALID"
    SHORTENED = "SHORTENED"
    UNKNOWN_IN_MAUTIC = "UNKNOWN_IN_MAUTIC"
    KEPT = "KEPT"


#: State -> its meaning, as the page explains it.
MEANINGS: Mapping[State, str] = {
    State.PRESENT: "The store has a value, and it would be sent.",
    State.MISSING: "The store has no value, so Mautic keeps what it has.",
    State.DEFAULT_USED: "The value comes from another place of the record than the usual one.",
    State.INVALID: "Mautic would not take the value, so it would be left out.",
    State.SHORTENED: "The value would be cut to the length of Mautic's field.",
    State.UNKNOWN_IN_MAUTIC: "Mautic has no such field, so the value would be lost.",
    State.KEPT: "The value would not be sent, because the person has a newer order.",
}


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """One field of Mautic: `store` is the store's value, `sent` what Mautic would get, None for nothing."""

    alias: str
    label: str
    state: State
    store: Value
    sent: Value
    sentence: str


def of_fields(
    record: Record, plan: Plan, kind: Kind, modules: Modules, fields: Mapping[str, MauticField]
) -> list[FieldFinding]:
    """Return a finding for each field that the mapping of this kind can write, without the e-mail address."""
    look = _Look(record, plan, fields, _kept(record, plan, kind, modules), _of_newest(modules))
    return [look.at(alias, paths) for alias, paths in sources(kind, modules).items()]


def _kept(record: Record, plan: Plan, kind: Kind, modules: Modules) -> str:
    """Return why names, address and order data stay as they are, "" when they are written: they go together."""
    of_person = {alias for alias, paths in sources(orders_stream.KIND, modules).items() if paths}
    told = bool(set(plan.contact.fields) & {*of_person, _of_newest(modules)})
    if kind != orders_stream.KIND or not isinstance(record, Order) or told:
        return ""
    if record.status not in modules.orders.statuses:
        return f"Orders with the status “{record.status}” write the lifetime values only."
    return MEANINGS[State.KEPT]


def _of_newest(modules: Modules) -> str:
    """Return the field that only a person's newest order writes, besides names and address."""
    return aliases.spaced(aliases.ORDER_DATA, modules.naming.name_space)


def sources(kind: Kind, modules: Modules) -> dict[str, tuple[str, ...]]:
    """Return Mautic's alias -> the places of the record that its value is taken from, the usual one first.

    A value that is computed from more than one place has none.
    """
    fixed = {row.alias: row.paths for row in field_map.written(kind, modules)}
    # What an own row gives is made by its rule; where it gives nothing, the fixed row's value is in the plan.
    return fixed | {row.alias: () for row in field_map.own(kind, modules)}


class _Look:
    """One record with its plan, and what Mautic would get of it."""

    def __init__(
        self, record: Record, plan: Plan, fields: Mapping[str, MauticField], kept: str, of_newest: str
    ) -> None:
        self.record, self.mapped, self.fields, self.kept = record, plan.contact.fields, fields, kept
        self.of_newest = of_newest
        # Without the address nothing raises: it has a finding of its own.
        write, said = fit(ContactWrite("", self.mapped), fields, known=True)
        self.sent, self.notes = write.fields, (*plan.adjustments, *said)

    def at(self, wanted: str, paths: tuple[str, ...]) -> FieldFinding:
        """Return what becomes of the field that is wanted under this alias."""
        alias = aliases.actual(wanted, self.fields) or wanted
        value, place = self._of_store(paths) if paths else (self.mapped.get(wanted), 0)
        notes = [note for note in self.notes if note.field in (wanted, alias)]
        state = self._state(wanted, alias, value, notes, place)
        sentence = " ".join(note.sentence for note in notes) or self._sentence(state, paths, place)
        label = self.fields[alias].label if alias in self.fields else ""
        return FieldFinding(alias, label or alias, state, value, self.sent.get(alias), sentence)

    def _of_store(self, paths: tuple[str, ...]) -> tuple[str, int]:
        value, place = first_given(self.record, paths)
        return str(value), place

    def _state(self, wanted: str, alias: str, value: Value, notes: list[Adjustment], place: int) -> State:
        if value in ("", None) and not (self.kept and wanted == self.of_newest):
            return State.MISSING
        if alias not in self.fields:
            return State.UNKNOWN_IN_MAUTIC
        left_out = any(note.kind in ("left_out", NO_FIELD) for note in notes)
        if self.sent.get(alias) is None or (left_out and is_blank(self.sent[alias])):
            return State.KEPT if self.kept and not notes else State.INVALID
        if any(note.kind == "shortened" for note in notes):
            return State.SHORTENED
        return State.DEFAULT_USED if place else State.PRESENT

    def _sentence(self, state: State, paths: tuple[str, ...], place: int) -> str:
        if state is State.DEFAULT_USED:
            return f"The record has no {_words(paths[0])}, so the {_words(paths[place])} would be sent."
        if state is State.PRESENT and not paths:
            return "It is made of the store's data and would be sent."
        return self.kept if state is State.KEPT else MEANINGS[state]


def _words(path: str) -> str:
    return path.replace(".", " ").replace("_", " ")
