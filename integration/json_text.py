"""JSON as it comes from outside: read whole or not at all, whatever stands around it and however deep it is nested."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

#: Where JSON may begin behind something printed; not inside JSON, else the last row of a cut list would pass for all.
_BEGINNING = re.compile(r"(?<![\[{,:])[\[{]")
_BEGINNINGS_MAX = 200
#: Each value takes 50 to 300 bytes of memory, so a text that is dense with them takes many times its own size.
#: Real orders have one on 13 bytes: these are what 5 MB and 20 MB of them have, and some more.
BODY_VALUES_MAX, ANSWER_VALUES_MAX = 500_000, 2_000_000
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
#: What PHP and plugins print behind a whole answer: markup, a warning, a lone number.
_PRINT = re.compile(
    r"<[a-z/!?]|(?:php )?(?:warning|notice|deprecated|strict standards|fatal error):|-?\d+$|null$", re.I
)
#: What may be more of the answer: then the value before it may not be all.
_MORE = re.compile(r"[\[{]\s*[\"\[{}\]]")


class TooManyValues(ValueError):
    """A text has more values than any real one."""


def has_more_values(body: bytes, most: int) -> bool:
    """Tell whether a text has more than so many values, without reading it: each has one of three signs before it.

    Signs within its texts are counted too; a text that is too short for so many is not looked at.
    """
    return len(body) > most and sum(map(body.count, (b",", b"[", b"{"))) > most


def received(body: bytes) -> Any:
    """Return the value of a body that was sent here; raises ValueError as `loads` does, TooManyValues before that."""
    if has_more_values(body, BODY_VALUES_MAX):
        raise TooManyValues(f"The body has more than {BODY_VALUES_MAX:,} values.")
    return loads(body)


def loads(text: str | bytes) -> Any:
    """Return the value of a JSON text; raises ValueError, also for one that is nested too deeply to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def printed_around(text: str) -> Any:
    """Return the list or map that stands whole among what was printed before or behind it; raises ValueError."""
    bare = text.lstrip()
    if bare[:1] in ("[", "{"):
        value, end = _decode(bare, 0)
        if not _is_print(bare[end:]):
            raise ValueError("something else stands behind the JSON")
        return value
    for match in itertools.islice(_BEGINNING.finditer(text), _BEGINNINGS_MAX):
        try:
            value, end = _decode(text, match.start())
        except ValueError:
            continue
        if _is_print(text[end:]):
            return value
    raise ValueError("no JSON in the answer")


def _decode(text: str, start: int) -> tuple[Any, int]:
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _is_print(behind: str) -> bool:
    rest = _COMMENT.sub("", behind).strip()
    return not rest or (bool(_PRINT.match(rest)) and not _MORE.search(rest))
