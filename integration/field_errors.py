"""What is wrong with the values of a model, as sentences by field that a page, a command or the API can show."""

from __future__ import annotations

from typing import Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

NAME_SHOWN_MAX_CHARS = 40
#: pydantic's type of an error -> its sentence; `{name}` is the field.
_SENTENCES = {
    "missing": "“{name}” is missing.",
    "extra_forbidden": "There is no option “{name}”.",
    "bool_type": "“{name}” must be true or false.",
}


class Unusable(PydanticCustomError):
    """A value that cannot be used; its sentence is shown to people as it is."""

    def __new__(cls, sentence: str) -> Self:
        """Take the sentence as it is: braces in it are a person's, not a template's."""
        return super().__new__(cls, "unusable", "{sentence}", {"sentence": sentence})


def by_field(error: ValidationError) -> dict[str, str]:
    """Return one sentence for each field that is wrong, by its name, in the order of the model."""
    found: dict[str, str] = {}
    for each in error.errors():
        found.setdefault(str(each["loc"][0]) if each["loc"] else "", sentence_of(each))
    return found


def sentence_of(details: ErrorDetails) -> str:
    """Return the sentence of one error; those of our own validators are sentences already."""
    if details["type"] == "unusable":
        return details["msg"]
    name = str(details["loc"][0])[:NAME_SHOWN_MAX_CHARS] if details["loc"] else "body"
    pattern = _SENTENCES.get(details["type"])
    return pattern.replace("{name}", name) if pattern else f"“{name}”: {details['msg']}."
