"""Texts that people type: one line without characters that steer a terminal or turn the reading direction around."""

from __future__ import annotations

import re
from typing import Any

from pydantic import SecretStr

from integration.errors import SettingError
from integration.field_errors import Unusable

#: Control characters, line separators, and the marks that show a text in another order than it has.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHOWN_MAX_CHARS = 40
_HINT = "Remove it; it often comes with copied text."


def one_line(value: Any) -> Any:
    """Return a text, or a secret, as it is; raises Unusable when it has a character that does not show."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and (sentence := _wrong(text)):
        raise Unusable(sentence, _HINT)
    return value


def _wrong(text: str) -> str:
    found = _STEERING.search(text)
    return f"The text has a character that does not show ({visible(found[0])})." if found else ""


def checked_name(name: str, value: str, most: int) -> str:
    """Return what was typed into the field `name`, blanks around it removed; raises SettingError that names it."""
    text = value.strip()
    if len(text) > most:
        raise SettingError(name, f"“{text[:_SHOWN_MAX_CHARS]}…” is longer than {most} characters.", "Shorten it.")
    if sentence := _wrong(text):
        raise SettingError(name, sentence, _HINT)
    return text


def visible(text: str, *, lines: bool = False) -> str:
    r"""Return a text in which such characters are shown as \x1b; with `lines` its line ends stay."""
    return _STEERING.sub(lambda found: found[0] if lines and found[0] == "\n" else _escaped(found[0]), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
