"""Whether a value that Mautic holds is the one that was sent, as Mautic writes it."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integration.identity import normalise_email
from integration.mapping.text import trimmed
from integration.mautic.reading import scale_of
from integration.plans import below_one

_SPACE = re.compile(r"\s+")
_TRUE = frozenset({"1", "true", "yes", "on"})
#: Decimals that a number field keeps unless its description tells more.
_SCALE = 2


def alike(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    """Tell whether `held` is what Mautic makes of `sent`; `field` is its description of the field, {} if unknown.

    A blank is the empty field, which of a number may be shown as 0 (mautic:467). A value below 1 is right where the
    field is empty, too: a contact that Mautic has does not take it (mautic:110, mautic:283).
    """
    kind = str(field.get("type") or "")
    if kind == "boolean" or isinstance(sent, bool):
        return _truth(sent) == _truth(held)
    if _is_empty(sent, kind):
        return _is_empty(held, kind)
    if _is_empty(held, kind):
        return below_one(sent)
    return _BY_TYPE.get(kind, _same_anything)(sent, held, field)


def forms(held: Any, field: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return values as they are sent that are certainly `alike` to what Mautic holds, with all texts as `plain`.

    A value may be alike and none of these, such as a number that was rounded; of choices and addresses none is told,
    for their texts are not compared as a whole.
    """
    kind = str(field.get("type") or "")
    if kind == "boolean":
        return (True,) if _truth(held) else (False, "", None)
    if isinstance(held, str) and held and kind not in _BY_PARTS:
        return (held,)
    if _is_empty(held, kind):
        return _NOTHING
    form = _SENT[kind](held) if kind in _SENT else None
    return () if form is None else (form,)


def tag_key(tag: str) -> str:
    """Return a tag as it is compared: without markup, blanks around and letter case (mautic:127, mautic:128)."""
    return plain(tag).casefold()


def _is_empty(value: Any, kind: str) -> bool:
    if value is None or value == [] or (isinstance(value, str) and not plain(value)):
        return True
    return kind == "number" and _number(value) == 0


def _truth(value: Any) -> bool:
    """Return a yes or no; nothing at all is no, as PHP has it (mautic:274, mautic:287, mautic:288)."""
    return str(value).strip().lower() in _TRUE if value is not None else False


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _same_number(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    """Numbers are rounded to the decimals of their field, in one of seven ways (mautic:274)."""
    ours, theirs = _number(sent), _number(held)
    if ours is None or theirs is None:
        return _same_text(sent, held, field)
    scale = scale_of(field)
    return abs(ours - theirs) < Decimal(1).scaleb(-(_SCALE if scale is None else scale))


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _same_moment(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    ours, theirs = _moment(sent), _moment(held)
    if ours is None or theirs is None:
        return _same_text(sent, held, field)
    return ours.replace(microsecond=0) == theirs.replace(microsecond=0)


def _same_day(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    ours, theirs = _moment(sent), _moment(held)
    if ours is None or theirs is None:
        return _same_text(sent, held, field)
    return ours.date() == theirs.date()


def plain(value: Any) -> str:
    """Return a text as it is compared: composed letters, entities resolved, no markup, blanks as one, trimmed."""
    text = html.unescape(str(value))
    return trimmed(_SPACE.sub(" ", _without_markup(unicodedata.normalize("NFC", text))))


def _without_markup(text: str) -> str:
    """Return the text without tags, those too that only come about when inner ones are gone, as in “<<>>”.

    What Mautic has stripped once then compares as the text that was sent.
    """
    if "<" not in text:
        return text
    kept: list[str] = []
    opened: list[int] = []
    for letter in text:
        if letter == ">" and opened:
            del kept[opened.pop() :]
            continue
        if letter == "<":
            opened.append(len(kept))
        kept.append(letter)
    return "".join(kept)


def _same_text(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    return plain(sent) == plain(held)


def _same_word(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    return plain(sent).casefold() == plain(held).casefold()


def _same_mailbox(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    return normalise_email(str(sent)) == normalise_email(str(held))


def _same_url(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    """Mautic puts http:// in front of an address without a scheme (mautic:285, mautic:286)."""
    return plain(held) in (plain(sent), f"http://{plain(sent)}")


def _members(value: Any) -> set[str]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else str(value).split("|")
    return {plain(part).casefold() for part in parts if plain(part)}


def _same_choices(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    return _members(sent) == _members(held)


def _same_anything(sent: Any, held: Any, field: Mapping[str, Any]) -> bool:
    """Text, or a number in a field whose type is not told."""
    if _same_text(sent, held, field):
        return True
    return isinstance(sent, int | float) and _same_number(sent, held, field)


_BY_TYPE: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "number": _same_number,
    "date": _same_day,
    "datetime": _same_moment,
    "url": _same_url,
    "multiselect": _same_choices,
    "select": _same_word,
    "country": _same_word,
    "region": _same_word,
    "locale": _same_word,
    "timezone": _same_word,
    "email": _same_mailbox,
}


def _as_number(held: Any) -> float | None:
    number = _number(held)
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def _as_day(held: Any) -> str | None:
    at = _moment(held)
    return at.date().isoformat() if at else None


def _as_moment(held: Any) -> str | None:
    at = _moment(held)
    return at.replace(tzinfo=None).isoformat(" ", "seconds") if at else None


#: What is sent where Mautic holds nothing in the end: a postcode of zeros, as of countries without any, is below 1.
_NOTHING = ("", None, *("0" * length for length in range(1, 11)))
#: How values of these types are sent (mapping/values.py).
_SENT: Mapping[str, Callable[[Any], Any]] = {"number": _as_number, "date": _as_day, "datetime": _as_moment}
#: What Mautic holds in fields of these types may be alike to other texts than its own.
_BY_PARTS = frozenset({*_SENT, "multiselect", "email"})
