"""Kinds of values that settings have; each takes what a page or a command line gives as text, and JSON as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from integration.field_errors import Unusable, titles, told
from integration.field_text import one_line
from integration.settings.crontab import checked

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
#: A whole number with more digits is not read: no setting is that great, and reading it costs time.
_DIGITS_MAX = 18
#: Longest text of a list (Mautic's tags have at most 191 characters), and how many a list has at most.
TEXTS_MAX_CHARS, TEXTS_MAX = 191, 1000
CRONTAB_MAX_CHARS = 100
_ROLE = re.compile(r"\w[\w .:-]{0,59}")
AMOUNT_MAX = 1_000_000


class Settings(BaseModel):
    """What all settings have in common: they do not change, have no unknown names and are what they say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Return stored settings; unknown names are dropped, what is missing or odd takes its default."""
        values = stored if isinstance(stored, Mapping) else {}
        known = {name: value for name, value in values.items() if name in cls.model_fields}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            odd = {each["loc"][0] for each in error.errors(include_url=False, include_context=False)}
            return cls.model_validate({name: value for name, value in known.items() if name not in odd})

    @classmethod
    def checked(cls, values: Mapping[str, Any], context: Any = None) -> Self:
        """Return the settings that a form or a command gives; raises SettingError naming each that cannot be used.

        `context` is what a field has to know to judge its value, such as the ids that can be chosen.
        """
        try:
            return cls.model_validate(dict(values), context=context)
        except ValidationError as error:
            raise told(error, cls, titles(cls)) from None


def _truth(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else None
    return word in _TRUE if word in _TRUE | _FALSE else value


def _whole(value: Any) -> Any:
    digits = value.strip() if isinstance(value, str) else ""
    plain = digits.removeprefix("-")
    return int(digits) if plain.isascii() and plain.isdigit() and len(plain) <= _DIGITS_MAX else value


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    return tuple(value) if isinstance(value, list) else value


def _within_limits(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list whose texts, and whose number of them, are what tags, roles and SKUs can be."""
    if len(texts) > TEXTS_MAX:
        raise Unusable(f"These are {len(texts):,} values; at most {TEXTS_MAX:,} are taken.", "Remove some.")
    for text in texts:
        if len(one_line(text)) > TEXTS_MAX_CHARS:
            raise Unusable(f"“{text[:40]}…” is longer than {TEXTS_MAX_CHARS} characters.", "Shorten it.")
    return texts


def is_role(name: str) -> bool:
    """Tell whether a text may be the slug, or the name, of a role of WordPress: letters, digits, blanks, dashes."""
    return bool(_ROLE.fullmatch(name))


def _roles(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not is_role(name):
            raise Unusable(f"“{name[:40]}” is no role.", "Write it as the store has it, such as wholesale_customer.")
    return names


def _few(pairs: Mapping[str, int]) -> Mapping[str, int]:
    if len(pairs) > TEXTS_MAX or any(len(one_line(name)) > TEXTS_MAX_CHARS for name in pairs):
        raise Unusable("These are more statuses, or longer ones, than a store has.", "Remove some.")
    return pairs


def _pairs(value: Any) -> Any:
    """Return a mapping from text such as "completed:3,refunded:4"."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition(":") for part in value.split(",") if part.strip()]
    return {name.strip(): number for name, _, number in pairs}


def _amount(value: Any) -> Any:
    """Return an amount of money as plain digits; a comma serves as a point."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return value
    try:
        amount = Decimal(value.strip().replace(",", ".") or "0")
    except InvalidOperation:
        raise Unusable("This is not an amount.", "Write it in digits, such as 10 or 7.50.") from None
    if not amount.is_finite() or not 0 <= amount <= AMOUNT_MAX:
        raise Unusable(f"An amount is between 0 and {AMOUNT_MAX:,}.", "Correct it.")
    return f"{amount.normalize():f}"


def _crontab(value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable("This is not a crontab.", "Write it as a text of five fields.")
    if len(value) > CRONTAB_MAX_CHARS:
        raise Unusable(f"A crontab has at most {CRONTAB_MAX_CHARS} characters.", "Shorten it.")
    return checked(value)


Truth = Annotated[bool, BeforeValidator(_truth)]
Whole = Annotated[int, BeforeValidator(_whole)]
Text = Annotated[str, BeforeValidator(_trimmed), AfterValidator(one_line)]
#: Texts in the order in which they were given, each once; in text with commas between them.
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), AfterValidator(_within_limits)]
#: Roles of the store's users.
Roles = Annotated[tuple[str, ...], BeforeValidator(_texts), AfterValidator(_within_limits), AfterValidator(_roles)]
#: Status -> an id in Mautic, 0 for none.
IdByStatus = Annotated[Mapping[str, Annotated[Whole, Field(ge=0)]], BeforeValidator(_pairs), AfterValidator(_few)]
#: An amount of money in plain digits, such as "7.5".
Amount = Annotated[str, BeforeValidator(_amount)]
Crontab = Annotated[str, BeforeValidator(_crontab)]
#: What is stored encrypted and never shown again.
Secret = Annotated[SecretStr, BeforeValidator(_trimmed), Field(max_length=1000), AfterValidator(one_line)]
