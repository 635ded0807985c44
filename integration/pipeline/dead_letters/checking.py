"""Checks the values that a person gave a dead letter by the rules that its record is mapped with, a field at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integration import streams
from integration.errors import IntegrationError, MappingError, SettingError
from integration.events import Change, Origin
from integration.field_errors import gathered
from integration.field_text import checked_name
from integration.mapping.emails import fit_email
from integration.models.delivery import Delivery
from integration.pipeline.dead_letters.corrections import corrected, editable

VALUE_MAX_CHARS = 2000
#: Names the form as a whole, where no single value is to blame.
WHOLE = "values"
_HINT = "Correct the value, then send it again."
_NO_ADDRESS_HINT = "Write the address that the record belongs to."


def check(row: Delivery, changes: Mapping[str, str]) -> None:
    """Raise SettingError, one for each value that cannot be used, named by its path."""
    payload = corrected(row.payload or {}, changes)
    wrong = [*_texts(changes), *_addresses(editable(payload), changes), *_unread(row, payload)]
    if wrong:
        raise gathered(wrong)


def change_of(row: Delivery, payload: Mapping[str, Any]) -> Change:
    """Return the change that a payload stands for; raises MappingError when it cannot be read."""
    stream = streams.of(row.kind)
    stream.parse(payload)
    return stream.change(payload, Origin.REPLAY, row.payload_at)


def _texts(changes: Mapping[str, str]) -> Iterator[SettingError]:
    for name, value in changes.items():
        try:
            checked_name(name, value, VALUE_MAX_CHARS)
        except SettingError as error:
            yield error


def _addresses(values: Mapping[str, str], changes: Mapping[str, str]) -> Iterator[SettingError]:
    """Yield what is wrong with the addresses that a record may be sent to, as they would be now.

    Of several one is enough, as an account's billing address is where its own is empty or damaged; what was typed is
    right all the same, or left empty.
    """
    wrong = {name: _refusal(value) for name, value in values.items() if name.rpartition(".")[2] == "email"}
    enough = None in wrong.values()
    for name, error in wrong.items():
        empty = not values[name].strip()
        if error is not None and not (enough and (empty or name not in changes)):
            yield SettingError(name, error.sentence, _NO_ADDRESS_HINT if empty else error.hint)


def _refusal(email: str) -> MappingError | None:
    try:
        # How long an address may be is for Mautic alone to tell.
        fit_email(email, None)
    except MappingError as error:
        return error
    return None


def _unread(row: Delivery, payload: Mapping[str, Any]) -> Iterator[SettingError]:
    if sentence := _unreadable(row, payload):
        yield SettingError(_to_blame(row, payload, sentence), sentence, _HINT)


def _unreadable(row: Delivery, payload: Mapping[str, Any]) -> str:
    """Return why a payload cannot be read, "" when it can."""
    try:
        change_of(row, payload)
    except IntegrationError as error:
        return error.sentence
    return ""


def _to_blame(row: Delivery, payload: Mapping[str, Any], sentence: str) -> str:
    """Return the path of the value without which a payload is not refused as it is, WHOLE where it is none of them."""
    without = (name for name in editable(payload) if _unreadable(row, corrected(payload, {name: ""})) != sentence)
    return next(without, WHOLE)
