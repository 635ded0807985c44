"""One value made fit for one Mautic field."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from zoneinfo import available_timezones

from babel.localedata import locale_identifiers

from integration.errors import MappingError
from integration.mapping import aliases, places
from integration.mapping.emails import fit_email
from integration.mapping.order_data import is_json, shortened
from integration.mapping.text import clean, shorten, shorten_bytes, without_markup
from integration.plans import Adjustment, MauticField, Value, below_one

#: A TEXT column holds this many bytes in most versions (dossier 4.1.6).
TEXT_BYTES = 65_535
#: Mautic refuses 1e20 (mautic:282); above this a float loses whole units.
AMOUNT_LIMIT = Decimal(10) ** 15
#: PHP writes a smaller one as 1.0E-5, which Mautic refuses like 1e20 (mautic:282).
AMOUNT_LEAST = Decimal("0.0001")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
#: A time of day, alone or behind a day.
_TIME = re.compile(r"(?:^|[T ])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?!\d)", re.ASCII)

Fitted = tuple[Value, tuple[Adjustment, ...]]


def fit_value(field: MauticField, value: Value, *, known: bool = False) -> Fitted:
    """Return the value as the field takes it, None to leave it out, and what was changed; a blank is "".

    The number 0 is a blank: Mautic stores none (mautic:110, mautic:283). A smaller value than 1 is stored for a new
    contact only; the writer empties the field of a `known` one, which is said here.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return "", ()
    if _is_json(field, value):
        fitted, said = _json(field, clean(_written(value)))
    else:
        fitted, said = _FITTERS.get(field.type, _text)(field, value)
    if field.type == "number" and fitted == 0:
        return "", said
    if known and field.type != "boolean" and below_one(fitted):
        return fitted, (*said, _emptied(field))
    return fitted, said


def _is_json(field: MauticField, value: Value) -> bool:
    """Tell whether the value is JSON that must stay whole: in a field for it, or a map or list that reads as such."""
    if field.type not in ("text", "textarea", "html"):
        return False
    if aliases.is_json(field.alias):
        return True
    whole = isinstance(value, str) and value[:1] + value[-1:] in ("{}", "[]") and "<" not in value
    return whole and is_json(str(value))


def _text(field: MauticField, value: Value) -> Fitted:
    plain = clean(_written(value))
    bare = without_markup(plain)
    if not bare:
        return _left_out(field, f"{_name(field)} has only markup or unprintable characters and was left out.")
    said = _markup(field, plain, bare)
    if field.limit is None or len(bare) <= field.limit:
        return bare, said
    short = shorten(bare, max(field.limit, 0))
    if not short:
        return _left_out(field, f"{_name(field)} is longer than Mautic's {field.limit} characters and was left out.")
    return short, (*said, _shortened(field, len(bare), len(short)))


def _long_text(field: MauticField, value: Value) -> Fitted:
    plain = clean(_written(value), lines=True)
    bare = plain if field.type == "html" else without_markup(plain)
    short = shorten_bytes(bare if field.limit is None else shorten(bare, field.limit), TEXT_BYTES)
    if not short:
        return _left_out(field, f"{_name(field)} has only markup or unprintable characters and was left out.")
    said = _markup(field, plain, bare)
    return short, (*said, *([_shortened(field, len(bare), len(short))] if short != bare else []))


def _json(field: MauticField, value: str) -> Fitted:
    limit = TEXT_BYTES if field.limit is None else field.limit
    text: str | None = value
    dropped = 0
    while text is not None and (len(text) > limit or len(text.encode()) > TEXT_BYTES):
        # The column counts bytes and we count characters, so come nearer by what is too much.
        over = max(len(text) - limit, (len(text.encode()) - TEXT_BYTES) // 4, 1)
        text, dropped = shortened(value, len(text) - over)
    if text is None:
        return _left_out(field, f"{_name(field)} is longer than Mautic's {limit} characters and was left out.")
    if not dropped:
        return text, ()
    items = "1 item" if dropped == 1 else f"{dropped} items"
    sentence = f"{_name(field)} was shortened by {items} to fit Mautic's {limit} characters."
    return text, (Adjustment(field.alias, "shortened", sentence),)


def _number(field: MauticField, value: Value) -> Fitted:
    try:
        amount = Decimal(_written(value).strip().replace(",", "."))
    except InvalidOperation:
        return _left_out(field, f"“{_excerpt(value)}” is no number, so {_name(field)} was left out.")
    if not amount.is_finite() or abs(amount) >= AMOUNT_LIMIT or 0 < abs(amount) < AMOUNT_LEAST:
        return _left_out(field, f"{_excerpt(value)} is beyond Mautic's numbers, so {_name(field)} was left out.")
    return (int(amount) if amount == amount.to_integral_value() else float(amount)), ()


def _boolean(field: MauticField, value: Value) -> Fitted:
    word = _written(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE, ()
    return _left_out(field, f"“{_excerpt(value)}” is neither yes nor no, so {_name(field)} was left out.")


def _choice(field: MauticField, value: Value) -> Fitted:
    if not field.choices:
        return _text(field, value)
    text = _written(value).strip()
    found = text if text in field.choices else _same_word(text, field.choices)
    if found is None:
        return _left_out(field, f"“{_excerpt(value)}” is not in Mautic's list for {_name(field)} and was left out.")
    said = () if found == text else (Adjustment(field.alias, "changed", f"{_name(field)} was sent as “{found}”."),)
    return found, said


def _choices(field: MauticField, value: Value) -> Fitted:
    parts = [_choice(field, part) for part in _written(value).split("|") if part.strip()]
    kept = [str(part) for part, _ in parts if part is not None]
    return "|".join(kept) or None, tuple(each for _, said in parts for each in said)


def _country(field: MauticField, value: Value) -> Fitted:
    text = _written(value).strip()
    named = places.country_named(text)
    spellings = [text, named, *places.country_alternates(named)] if named else [text]
    listed = field.choices or ((named,) if named else ())
    return _listed(field, text, next((name for name in spellings if name in listed), None))


def _region(field: MauticField, value: Value) -> Fitted:
    text = _written(value).strip()
    return _listed(field, text, text if (text in field.choices if field.choices else places.is_state(text)) else None)


def _listed(field: MauticField, text: str, found: str | None) -> Fitted:
    if found is None:
        return _left_out(field, f"“{_excerpt(text)}” is not in Mautic's list for {_name(field)} and was left out.")
    said = () if found == text else (Adjustment(field.alias, "changed", f"{_name(field)} was sent as “{found}”."),)
    return found, said


def _date(field: MauticField, value: Value) -> Fitted:
    try:
        return date.fromisoformat(_written(value).strip()[:10]).isoformat(), ()
    except ValueError:
        # Mautic ignores a date it cannot read, with 200 (mautic:277, mautic:279).
        return _left_out(field, f"“{_excerpt(value)}” is no date, so {_name(field)} was left out.")


def _url(field: MauticField, value: Value) -> Fitted:
    """Return a link with its scheme, as Mautic stores it (mautic:285, mautic:286); a cut one would lead nowhere."""
    text = without_markup(clean(_written(value)))
    if not text or " " in text:
        return _left_out(field, f"“{_excerpt(value)}” is no link, so {_name(field)} was left out.")
    link = text if "://" in text else f"http://{text}"
    if field.limit is not None and len(link) > field.limit:
        return _left_out(field, f"{_name(field)} is longer than Mautic's {field.limit} characters and was left out.")
    return link, ()


def _email(field: MauticField, value: Value) -> Fitted:
    try:
        fitted, said = fit_email(_written(value), field)
        return fitted, tuple(replace(each, field=field.alias) for each in said)
    except MappingError as error:
        return _left_out(field, f"{error.sentence} So {_name(field)} was left out.")


def _time(field: MauticField, value: Value) -> Fitted:
    """Return the time of day of a time or a moment; Mautic ignores what it cannot read."""
    text = _written(value).strip()
    found = _TIME.search(text)
    if found is None:
        return _left_out(field, f"“{_excerpt(value)}” is no time of day, so {_name(field)} was left out.")
    return f"{found[1]:0>2}:{found[2]}:{found[3] or '00'}", ()


def _timezone(field: MauticField, value: Value) -> Fitted:
    return _known_name(field, value, available_timezones())


def _locale(field: MauticField, value: Value) -> Fitted:
    return _known_name(field, _written(value).strip().replace("-", "_"), _locales())


def _known_name(field: MauticField, value: Value, known: Container[str]) -> Fitted:
    text = _written(value).strip()
    return _listed(field, text, text if text in known else None)


@cache
def _locales() -> frozenset[str]:
    return frozenset(locale_identifiers())


def _datetime(field: MauticField, value: Value) -> Fitted:
    try:
        at = datetime.fromisoformat(_written(value).strip())
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return _left_out(field, f"“{_excerpt(value)}” is no date and time, so {_name(field)} was left out.")
    return at.strftime("%Y-%m-%d %H:%M:%S"), ()


_FITTERS: Mapping[str, Callable[[MauticField, Value], Fitted]] = {
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "select": _choice,
    "multiselect": _choices,
    "country": _country,
    "region": _region,
    "textarea": _long_text,
    "html": _long_text,
    "url": _url,
    "email": _email,
    "time": _time,
    "timezone": _timezone,
    "locale": _locale,
}


def _written(value: Value) -> str:
    """Return the value as text; true is 1 as in PHP (mautic:050)."""
    return {True: "1", False: "0"}[value] if isinstance(value, bool) else str(value)


def _same_word(text: str, choices: tuple[str, ...]) -> str | None:
    return next((choice for choice in choices if choice.casefold() == text.casefold()), None)


def _emptied(field: MauticField) -> Adjustment:
    sentence = f"Mautic takes no value below 1 for a contact that it has, so {_name(field)} was emptied."
    return Adjustment(field.alias, "changed", sentence)


def _left_out(field: MauticField, sentence: str) -> Fitted:
    return None, (Adjustment(field.alias, "left_out", sentence),)


def _markup(field: MauticField, plain: str, bare: str) -> tuple[Adjustment, ...]:
    if plain == bare:
        return ()
    return (Adjustment(field.alias, "changed", f"Markup was taken out of {_name(field)}, as Mautic would."),)


def _shortened(field: MauticField, before: int, after: int) -> Adjustment:
    return Adjustment(field.alias, "shortened", f"{_name(field)} was shortened from {before} to {after} characters.")


def _name(field: MauticField) -> str:
    return f"“{field.label or field.alias}”"


def _excerpt(value: Value) -> str:
    return clean(_written(value))[:60]
