"""The values of what programs send, each checked so that it can be kept and mapped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from integration.errors import MappingError
from integration.field_errors import Unusable
from integration.field_text import one_line
from integration.identity import visible
from integration.mapping.emails import EMAIL_MAX_CHARS, fit_email
from integration.record_ids import GIVEN_MAX_CHARS
from integration.store.dates import moment
from integration.store.sanitizing import INTEGER_MAX, storable

TEXT_MAX_CHARS = 255
ROWS_MAX = 500
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{GIVEN_MAX_CHARS}}}")
_AMOUNT_MAX_CHARS = 20
_AMOUNT_MAX = Decimal(10) ** 12
_AMOUNTS = {"pattern": r"^-?\d{1,12}(\.\d{1,6})?$", "minimum": -1e12, "maximum": 1e12, "examples": ["12.50", 12.5]}
_UNUSED = {"description": "Taken, and not used."}


def _id(value: Any) -> str:
    """Return the id that a program knows a record by; its numbers are taken as texts."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else value
    if not isinstance(text, str) or not _ID.fullmatch(text):
        sentence = f"An id has 1 to {GIVEN_MAX_CHARS} letters, digits, points, hyphens or underscores."
        raise Unusable(sentence, "Give the id that your program knows the record by.")
    return text


def _email(value: Any) -> str:
    if not isinstance(value, str) or len(value) > EMAIL_MAX_CHARS:
        raise Unusable(f"An e-mail address is a text of at most {EMAIL_MAX_CHARS} characters.", "Give one.")
    try:
        fit_email(value, None)
    except MappingError as error:
        raise Unusable(error.sentence, "Give an address that e-mail can be sent to.") from None
    return visible(value)


def _amount(value: Any) -> str:
    """Return an amount as text: what is a float on the way would lose cents."""
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    try:
        number = Decimal(text) if len(text) <= _AMOUNT_MAX_CHARS else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) > _AMOUNT_MAX:
        raise Unusable("An amount is a number such as “12.50”.", "Write digits, with a point before decimals.")
    return f"{number:f}"


def _moment(value: Any) -> str:
    """Return a moment as the store writes it: UTC, without an offset."""
    try:
        at = moment(value, "") if isinstance(value, str) else None
    except MappingError:
        at = None
    if at is None:
        hint = "Write it like 2026-11-20T10:30:00; without an offset it is UTC."
        raise Unusable("That is no date and time.", hint)
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _status(value: Any) -> str:
    text = value.removeprefix("wc-") if isinstance(value, str) else ""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text):
        raise Unusable("A status is a slug such as “completed”.", "Use the store's own slugs, without “wc-”.")
    return text


Id = Annotated[
    str,
    BeforeValidator(_id),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_ID.pattern}$", "minimum": 0}),
]
Email = Annotated[
    str, BeforeValidator(_email), WithJsonSchema({"type": "string", "format": "email", "maxLength": EMAIL_MAX_CHARS})
]
Amount = Annotated[str, BeforeValidator(_amount), WithJsonSchema({"type": ["string", "number"], **_AMOUNTS})]
When = Annotated[str, BeforeValidator(_moment), WithJsonSchema({"type": "string", "examples": ["2026-11-20T10:30:00"]})]
Status = Annotated[
    str, BeforeValidator(_status), WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"})
]
Text = Annotated[str, Field(max_length=TEXT_MAX_CHARS), AfterValidator(one_line)]
Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
Number = Annotated[int, Field(strict=True, ge=0, le=INTEGER_MAX)]
Truth = Annotated[bool, Field(strict=True)]


def moment_of(text: str) -> datetime:
    """Return the aware moment of a checked `When`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Part(BaseModel):
    """A part of what is sent. Names that mean nothing are refused.

    WooCommerce's own names that nothing here needs (`unused`) are taken and left out, so that its records can be sent
    as they are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    unused: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema with the names that are taken and not used."""
        made = handler(schema)
        told = handler.resolve_ref_schema(made)
        told["properties"] = {**told["properties"], **{name: _UNUSED for name in sorted(cls.unused)}}
        return made

    @model_validator(mode="before")
    @classmethod
    def _without_unused(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if name not in cls.unused}


class MetaRow(Part):
    """One row of meta data, as WooCommerce has it."""

    unused = frozenset({"id", "display_key", "display_value"})

    key: Annotated[str, Field(min_length=1, max_length=TEXT_MAX_CHARS)]
    value: Annotated[Any, AfterValidator(storable)] = None


Meta = Annotated[list[MetaRow], Field(max_length=ROWS_MAX)]


class Address(Part):
    """A billing address; `country` and `state` are WooCommerce's codes."""

    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address_1: Text = ""
    address_2: Text = ""
    city: Text = ""
    state: Text = ""
    postcode: Text = ""
    country: Text = ""
    phone: Text = ""


class Billing(Address):
    """The billing address of an order, by whose e-mail its buyer is known."""

    email: Email
