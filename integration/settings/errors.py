"""What pydantic finds wrong, said as `SettingError`s: the field in the page's words, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from integration.errors import SettingError

UNUSABLE = "unusable"
_SHOWN_MAX = 80


def unusable(sentence: str, hint: str) -> PydanticCustomError:
    """Return the error that a validator raises to say in its own words what is wrong, and what to do."""
    # The sentence goes in as a value, for braces in what was typed would be read as places to fill.
    return PydanticCustomError(UNUSABLE, "{sentence} {hint}", {"sentence": sentence, "hint": hint})


def told(
    error: ValidationError, model: type[BaseModel], words: Mapping[str, str] | None = None, prefix: str = ""
) -> SettingError:
    """Return what a model refused as the error of the first field; those of further fields are in its `others`.

    `words` maps a field to its name on the page; without one it is called by prefix and name ("orders.notes").
    A field with several errors (such as a list with two wrong members) is named once.
    """
    found: dict[str, SettingError] = {}
    for each in error.errors(include_url=False):
        name = str(each["loc"][0]) if each["loc"] else ""
        found.setdefault(name, _one(each, model, prefix + name, (words or {}).get(name, prefix + name)))
    return gathered(found.values())


def gathered(errors: Iterable[SettingError]) -> SettingError:
    """Return the first of several errors with the others beside it."""
    first, *others = errors
    return SettingError(first.name, first.sentence, first.hint, others=(*first.others, *others))


@dataclass(frozen=True, slots=True)
class _Wrong:
    """One refused value: the field's word, what was given, and what the model says of the field."""

    word: str
    value: str
    field: FieldInfo | None
    details: Mapping[str, Any]


def _one(details: ErrorDetails, model: type[BaseModel], name: str, word: str) -> SettingError:
    context = details.get("ctx", {})
    if details["type"] == UNUSABLE:
        return SettingError(name, str(context["sentence"]), str(context["hint"]))
    field = model.model_fields.get(str(details["loc"][0])) if details["loc"] else None
    wrong = _Wrong(word, _shown(details.get("input")), field, context)
    sentence, hint = _SENTENCES.get(details["type"], _other)(wrong)
    return SettingError(name, sentence, hint)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _other(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” cannot be “{wrong.value}”.", "Correct it."


def _whole(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a whole number, not “{wrong.value}”.", "Write digits only."


def _decimal(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a number, not “{wrong.value}”.", "Write digits, with a point before decimals."


def _truth(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be yes or no, not “{wrong.value}”.", "Write yes or no."


def _text(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a text, not “{wrong.value}”.", "Write it as a text."


def _choice(wrong: _Wrong) -> tuple[str, str]:
    choices = get_args(wrong.field.annotation) if wrong.field else ()
    named = ", ".join(map(str, choices)) or str(wrong.details.get("expected", ""))
    return f"“{wrong.value}” is not one of the choices for “{wrong.word}”.", f"Choose one of {named}."


def _range(wrong: _Wrong) -> tuple[str, str]:
    low, high = limits(wrong.field)
    if low is None or high is None:
        least, most = wrong.details.get("ge"), wrong.details.get("le")
        bound = f"at least {least}" if least is not None else f"at most {most}"
        return f"“{wrong.word}” must be {bound}.", "Choose such a number."
    return f"“{wrong.word}” must be between {low} and {high}.", "Choose a number in that range."


def limits(field: FieldInfo | None) -> tuple[Any, Any]:
    """Return the least and the greatest value of a field, None where there is no such limit."""
    rules = field.metadata if field else ()
    lows = [rule.ge for rule in rules if getattr(rule, "ge", None) is not None]
    highs = [rule.le for rule in rules if getattr(rule, "le", None) is not None]
    return (lows[0] if lows else None), (highs[0] if highs else None)


def _long(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” is longer than {wrong.details['max_length']} characters.", "Shorten it."


def _missing(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” is missing.", "Give it a value."


def _unknown(wrong: _Wrong) -> tuple[str, str]:
    return f"There is no setting “{wrong.word}”.", "The list is in `woo-mautic configure --help`."


_SENTENCES: dict[str, Callable[[_Wrong], tuple[str, str]]] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _whole),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "float_type", "float_parsing", "finite_number"), _decimal),
    **dict.fromkeys(("bool_type", "bool_parsing"), _truth),
    **dict.fromkeys(("string_type", "string_unicode"), _text),
    **dict.fromkeys(("greater_than_equal", "less_than_equal"), _range),
    "literal_error": _choice,
    "string_too_long": _long,
    "missing": _missing,
    "extra_forbidden": _unknown,
}
