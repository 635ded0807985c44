"""What pydantic finds wrong, said for people: the field in the reader's words, and what to write instead.

Pages and the command line are told by `told`, as a `SettingError`; machines by `by_field`, as a sentence a field, or
by `by_path` where a body has parts of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from integration.errors import SettingError

NAME_SHOWN_MAX_CHARS = 40
#: Beyond so many the faults of a body are counted only: each that is named takes a kilobyte.
NAMED_MAX = 500
_VALUE_SHOWN_MAX_CHARS = 80
_UNUSABLE = "unusable"


class Unusable(PydanticCustomError):
    """A value that cannot be used: the sentence, and what to do, are shown to people as they are."""

    def __new__(cls, sentence: str, hint: str = "") -> Self:
        """Take both as they are: braces in them are a person's, not a template's."""
        template = "{sentence} {hint}" if hint else "{sentence}"
        return super().__new__(cls, _UNUSABLE, template, {"sentence": sentence, "hint": hint})

    @property
    def sentence(self) -> str:
        """Return what is wrong, without what to do."""
        return str((self.context or {})["sentence"])


def told(
    error: ValidationError, model: type[BaseModel], words: Mapping[str, str] | None = None, prefix: str = ""
) -> SettingError:
    """Return what a model refused as the error of the first field; those of further fields are in its `others`.

    The errors are named by prefix and field ("orders.notes"). `words` maps such a name to what the page calls it;
    without one the sentence has the name itself. A field with several errors is named once.
    """
    found: dict[str, SettingError] = {}
    for each in error.errors(include_url=False):
        name = prefix + _name(each)
        if name not in found:
            found[name] = SettingError(name, *_said(each, model, (words or {}).get(name, name), _TYPED))
    return gathered(found.values())


def by_field(error: ValidationError, model: type[BaseModel] | None = None) -> dict[str, str]:
    """Return one sentence for each field of a JSON body that is wrong, by its name, in the order of the model."""
    found = _too_many(error)
    if found:
        return found
    for each in error.errors(include_url=False):
        name = _name(each)
        sentence, hint = _said(each, model, name[:NAME_SHOWN_MAX_CHARS] or "body", _JSON)
        found.setdefault(name, f"{sentence} {hint}".strip())
    return found


def by_path(error: ValidationError) -> dict[str, str]:
    """Return one sentence for each place of a JSON body that is wrong, by its path such as "billing.email"."""
    found = _too_many(error)
    if found:
        return found
    for each in error.errors(include_url=False):
        path = ".".join(str(part)[:NAME_SHOWN_MAX_CHARS] for part in each["loc"])
        sentence, hint = _said(each, None, path or "body", _JSON)
        found.setdefault(path or "body", f"{sentence} {hint}".strip())
    return found


def _too_many(error: ValidationError) -> dict[str, str]:
    number = error.error_count()
    sentence = f"It has {number:,} faults, too many to name them. Send a part of it that is wrong to be told each."
    return {"body": sentence} if number > NAMED_MAX else {}


def gathered(errors: Iterable[SettingError]) -> SettingError:
    """Return the first of several errors with the others beside it."""
    first, *others = errors
    return SettingError(first.name, first.sentence, first.hint, others=(*first.others, *others))


def titles(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Return what a page calls each field of a model: its title, by prefix and name."""
    return {prefix + name: field.title or name for name, field in model.model_fields.items()}


def limits(field: FieldInfo | None) -> tuple[Any, Any]:
    """Return the least and the greatest value of a field, None where there is no such limit."""
    rules = field.metadata if field else ()
    lows = [rule.ge for rule in rules if getattr(rule, "ge", None) is not None]
    highs = [rule.le for rule in rules if getattr(rule, "le", None) is not None]
    return (lows[0] if lows else None), (highs[0] if highs else None)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """One refused value: the field's word, what was given, and what the model says of the field."""

    word: str
    value: str
    field: FieldInfo | None
    details: Mapping[str, Any]


_Sentences = Mapping[str, Callable[[_Wrong], tuple[str, str]]]


def _name(details: ErrorDetails) -> str:
    return str(details["loc"][0]) if details["loc"] else ""


def _said(details: ErrorDetails, model: type[BaseModel] | None, word: str, sentences: _Sentences) -> tuple[str, str]:
    context = details.get("ctx", {})
    if details["type"] == _UNUSABLE:
        return str(context["sentence"]), str(context["hint"])
    field = model.model_fields.get(_name(details)) if model else None
    text = str(details.get("input"))
    shown = text if len(text) <= _VALUE_SHOWN_MAX_CHARS else f"{text[:_VALUE_SHOWN_MAX_CHARS]}…"
    return sentences.get(details["type"], _other)(_Wrong(word, shown, field, context))


def _other(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” cannot be “{wrong.value}”.", "Correct it."


def _whole(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a whole number, not “{wrong.value}”.", "Write digits only."


def _decimal(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a number, not “{wrong.value}”.", "Write digits, with a point before decimals."


def _truth(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be yes or no, not “{wrong.value}”.", "Write yes or no."


def _json_truth(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be true or false.", ""


def _text(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a text, not “{wrong.value}”.", "Write it as a text."


def _list(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” must be a list, not “{wrong.value}”.", "Give its values one by one."


def _count(wrong: _Wrong) -> tuple[str, str]:
    least, most = wrong.details.get("min_length"), wrong.details.get("max_length")
    bound = f"at least {least}" if least is not None else f"at most {most}"
    return f"“{wrong.word}” must have {bound} values, not {wrong.details.get('actual_length')}.", "Give as many."


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


def _long(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” is longer than {wrong.details['max_length']} characters.", "Shorten it."


def _missing(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” is missing.", "Give it a value."


def _json_missing(wrong: _Wrong) -> tuple[str, str]:
    return f"“{wrong.word}” is missing.", ""


def _unknown(wrong: _Wrong) -> tuple[str, str]:
    return f"There is no setting “{wrong.word}”.", "The list is in `woo-mautic configure --help`."


def _json_unknown(wrong: _Wrong) -> tuple[str, str]:
    return f"There is no option “{wrong.word}”.", ""


_TYPED: _Sentences = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _whole),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "float_type", "float_parsing", "finite_number"), _decimal),
    **dict.fromkeys(("bool_type", "bool_parsing"), _truth),
    **dict.fromkeys(("string_type", "string_unicode"), _text),
    **dict.fromkeys(("greater_than_equal", "less_than_equal"), _range),
    **dict.fromkeys(("list_type", "tuple_type"), _list),
    **dict.fromkeys(("too_short", "too_long"), _count),
    "literal_error": _choice,
    "string_too_long": _long,
    "missing": _missing,
    "extra_forbidden": _unknown,
}
_JSON: _Sentences = {
    **_TYPED,
    **dict.fromkeys(("bool_type", "bool_parsing"), _json_truth),
    "missing": _json_missing,
    "extra_forbidden": _json_unknown,
}
