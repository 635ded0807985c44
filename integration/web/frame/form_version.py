"""Two people with one form open: the second to save is told what the first has changed, instead of reverting it.

A form carries how each stored setting was when the page was made, as a short hash. Saving compares it, in the
transaction of the act, with what is stored by then; only settings that this form would overwrite are told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from integration.errors import SettingError

#: Name of the hidden input.
VERSION = "version"
_DIGITS = 12
_SHOWN_MAX_CHARS = 120


class ChangedMeanwhile(SettingError):
    """Somebody else has changed settings that were about to be overwritten; saving again overwrites them.

    `version` is the form's with what is stored now: who sends that has seen the change.
    """

    version: str = ""


def version_of(stored: Mapping[str, Any]) -> str:
    """Return the version of stored settings as a form carries it."""
    return json.dumps({name: _hash(value) for name, value in stored.items()}, separators=(",", ":"))


def check(version: str, diff: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """Raise ChangedMeanwhile for the settings of a diff that are no longer as the form's version has them.

    A form without a readable version, as a script may send it, is not compared. `words` are the settings' titles.
    """
    loaded = _read(version)
    # What a diff keeps secret is no pair, and stands in no form either.
    changed = [name for name, pair in diff.items() if name in loaded and loaded[name] != _hash(pair[0])]
    if not changed:
        return
    first, *others = [_error(name, diff[name][0], words.get(name, name)) for name in changed]
    error = ChangedMeanwhile(first.name, first.sentence, first.hint, others=tuple(others))
    error.version = json.dumps({**loaded, **{name: _hash(diff[name][0]) for name in changed}}, separators=(",", ":"))
    raise error


def error_status(error: SettingError) -> int:
    """Return the HTTP status of a form that comes back."""
    return 409 if isinstance(error, ChangedMeanwhile) else 400


def _error(name: str, now: Any, word: str) -> SettingError:
    sentence = f"Somebody has changed “{word}” meanwhile; it is {in_words(now)[:_SHOWN_MAX_CHARS]} now."
    return SettingError(name, sentence, "Save again to overwrite that, or load the page again to keep it.")


def in_words(value: Any) -> str:
    """Return a stored setting as a person would say it."""
    if isinstance(value, bool):
        return "switched on" if value else "switched off"
    if isinstance(value, Mapping):
        value = [f"{key}: {each}" for key, each in value.items()]
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return f"“{value}”" if value not in (None, "") else "empty"


def _read(version: str) -> Mapping[str, Any]:
    try:
        found = json.loads(version or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
