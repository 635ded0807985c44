"""A person's own mapping rows (P16): which value of the store goes to which field of Mautic, and when."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator

from integration.errors import SettingError
from integration.field_errors import Unusable, gathered, titles, told
from integration.settings.kinds import Settings, Text, Truth

#: Root of the paths that name a value which is made of more than one place of the record.
MADE = "made"
#: Root of the paths to a record's meta data: the rest is the key.
META = "meta_data"
#: Name of a value that is made of a record -> what people call it, by the kind of record.
MADE_VALUES: Mapping[str, Mapping[str, str]] = {
    "contact": {"full_name": "First and last name", "registered_on": "Day of the registration"},
    "order": {
        "items_text": "Items as text, with quantities",
        "item_names": "Names of the items, a list",
        "item_skus": "SKUs of the items, a list",
        "item_count": "Number of items",
        "coupons": "Coupons, a list",
        "payment_method": "Payment method",
        "order_number": "Order number",
        "order_date": "Day of the order",
        "net_total": "Total less refunds",
    },
    "abandoned_cart": {
        "items_text": "Items as text, with quantities",
        "item_names": "Names of the items, a list",
        "item_count": "Number of items",
    },
}
#: What a store is given back by us stands in meta data with these beginnings: mapping it would be a loop.
OWN_META_PREFIXES = ("_mautic_woo", "mautic_woo", "_woo_mautic", "woo_mautic")
ROWS_MAX = 100
PATH_MAX_CHARS = 200
ALIAS_MAX_CHARS = 191
TEXT_MAX_CHARS = 2000
#: Separates a value from what is sent for it in the format "map"; "*" stands for any other value.
ARROW, ANY_OTHER = "=>", "*"

Format = Literal["as_is", "upper", "lower", "date", "number", "yes_no", "list", "map", "json"]
Condition = Literal["always", "equals", "contains", "is_set", "not_set"]
#: What the page calls them, and what is said of a row in a sentence.
FORMATS: Mapping[str, str] = {
    "as_is": "As it is",
    "upper": "UPPER CASE",
    "lower": "lower case",
    "date": "Date",
    "number": "Number",
    "yes_no": "Yes or no",
    "list": "List, joined",
    "map": "Replace values (a => b)",
    "json": "JSON",
}
CONDITIONS: Mapping[str, str] = {
    "always": "Always",
    "equals": "Only if this value is",
    "contains": "Only if this value contains",
    "is_set": "Only if this value is given",
    "not_set": "Only if this value is blank",
}
#: What to do about rows that are no JSON.
AS_SHOWN = "Write the rows as `woo-mautic field-mapping show ID --json` does."
_ROOT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_ALIAS = re.compile(r"[a-z0-9_]+\Z")
_STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DAY = re.compile(r"(YYYY|MM|DD)([-./ ]?)(YYYY|MM|DD)\2(YYYY|MM|DD)\Z")
_VALUE_TESTS = ("equals", "contains")
#: Every record is mapped with the same few texts.
_TEXTS_CACHED_MAX = 512
_WITHOUT_ARGUMENT = ("as_is", "upper", "lower", "json")


def _lines(value: Any) -> Any:
    """Return a text of several lines without blanks around; raises Unusable for what does not show."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").strip()
    if _STEERING.search(text):
        raise Unusable("It has a character that does not show.", "Remove it; it often comes with copied text.")
    return text


Lines = Annotated[str, BeforeValidator(_lines), Field(max_length=TEXT_MAX_CHARS)]


class MappingRow(Settings):
    """One row: `source` is a path of the store's record ("billing.city", "meta_data._vat_number.country"), or with the
    root "made" a value of MADE_VALUES.

    `default` goes where the source is blank; without one the field stays as it is in Mautic, or is emptied if the row
    `empties`. `field_type` and `field_limit` (characters) are Mautic's field as it was when the row was saved.
    """

    kind: Literal["contact", "order", "abandoned_cart"] = Field(title="Record")
    alias: Text = Field(title="Mautic field", max_length=ALIAS_MAX_CHARS)
    source: Text = Field(title="Store value", max_length=PATH_MAX_CHARS)
    format: Format = Field(default="as_is", title="Format")
    argument: Lines = Field(default="", title="Format's detail", validate_default=True)
    default: Text = Field(default="", title="When blank, send", max_length=TEXT_MAX_CHARS)
    empties: Truth = Field(default=False, title="When blank, empty the field")
    condition: Condition = Field(default="always", title="Condition")
    condition_path: Text = Field(
        default="", title="Condition's value", max_length=PATH_MAX_CHARS, validate_default=True
    )
    condition_value: Text = Field(default="", title="Compared with", max_length=TEXT_MAX_CHARS, validate_default=True)
    field_type: Text = Field(default="", title="Field's type", max_length=30)
    field_limit: int | None = Field(default=None, title="Field's length", ge=1)

    @field_validator("alias")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value:
            raise Unusable("No field of Mautic is chosen.", "Choose one.")
        if not _ALIAS.match(value):
            raise Unusable(f"“{value[:40]}” is no alias of a field.", "Write the alias as Mautic shows it.")
        if value == "email":
            raise Unusable(
                "The e-mail address is how a contact is found, so no row may write it.", "Choose another field."
            )
        return value

    @field_validator("source")
    @classmethod
    def _from(cls, value: str, info: ValidationInfo) -> str:
        return _checked_path(value, str(info.data.get("kind") or ""))

    @field_validator("argument")
    @classmethod
    def _detailed(cls, value: str, info: ValidationInfo) -> str:
        return _checked_argument(str(info.data.get("format") or ""), value)

    @field_validator("condition_path")
    @classmethod
    def _asked(cls, value: str, info: ValidationInfo) -> str:
        # Nothing of an unused condition is kept: two rows without one are the same.
        used = info.data.get("condition", "always") != "always"
        return _checked_path(value, str(info.data.get("kind") or "")) if used else ""

    @field_validator("condition_value")
    @classmethod
    def _compared(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("condition") not in _VALUE_TESTS:
            return ""
        if not value:
            hint = "Write the value, or choose “Only if this value is given”."
            raise Unusable("The condition has nothing to compare with.", hint)
        return value

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the places of the record that the row looks at, without values that are made."""
        return tuple(path for path in (self.source, self.condition_path) if path and not is_made(path))

    def exported(self) -> dict[str, Any]:
        """Return what is not as usual; what is remembered of Mautic's field is another Mautic's matter."""
        return self.model_dump(exclude_defaults=True, exclude={"field_type", "field_limit"})

    @property
    def when(self) -> tuple[str, str, str]:
        """Return the condition as a whole: two rows with the same one would stand in each other's way."""
        return self.condition, self.condition_path, self.condition_value.casefold()


def is_made(path: str) -> bool:
    """Tell whether a path names a value that is made of a record."""
    return path.partition(".")[0] == MADE


def _checked_path(path: str, kind: str) -> str:
    """Return a path; raises Unusable saying what is wrong with it."""
    root, _, rest = path.partition(".")
    if not path:
        raise Unusable("No value of the store is named.", "Choose one of the list, or write its path.")
    if not _ROOT.match(root) or (path != root and not all(path.split("."))):
        hint = "Write names with points between them, such as billing.city or meta_data._vat_number."
        raise Unusable(f"“{path[:40]}” is no path of a record.", hint)
    if root == MADE and kind in MADE_VALUES and rest not in MADE_VALUES[kind]:
        raise Unusable(f"There is no value “{path[:60]}”.", f"There are {', '.join(MADE_VALUES[kind])}.")
    if root == META and not rest:
        raise Unusable("The key of the meta data is missing.", "Write it behind a point, as in meta_data._vat_number.")
    if root == META and rest.casefold().startswith(OWN_META_PREFIXES):
        sentence = f"“{rest[:60]}” is meta data that comes from Mautic by us, so it would go round in a circle."
        raise Unusable(sentence, "Choose another value.")
    return path


def _checked_argument(format: str, text: str) -> str:
    if format in _WITHOUT_ARGUMENT:
        return ""
    if format == "map":
        pairs(text)
    elif "\n" in text:
        raise Unusable("This is more than one line.", "Write it in one line.")
    elif format == "date" and text and (not (found := _DAY.match(text)) or len({*found.group(1, 3, 4)}) < 3):
        raise Unusable(f"“{text[:40]}” is no form of a date.", "Write it such as DD/MM/YYYY, or leave it empty.")
    elif format == "number" and text not in ("", ".", ","):
        raise Unusable("The sign before decimals is a point or a comma.", "Write . or , or leave it empty.")
    elif format == "yes_no" and text and len([word for word in text.split("|") if word.strip()]) != 2:
        raise Unusable("Two words are needed, one for yes and one for no.", "Write them as in Yes|No.")
    return text


@lru_cache(maxsize=_TEXTS_CACHED_MAX)
def pairs(text: str) -> Mapping[str, str]:
    """Return what the format "map" replaces: the case-folded value -> what is sent; raises Unusable (a => b lines)."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        value, arrow, sent = line.partition(ARROW)
        if not arrow or not value.strip():
            raise Unusable(f"“{line[:40]}” does not say what is replaced by what.", "Write it as a => b, one a line.")
        if found.setdefault(value.strip().casefold(), sent.strip()) != sent.strip():
            raise Unusable(f"“{value.strip()[:40]}” is replaced twice.", "Remove one of the lines.")
    if not found:
        raise Unusable("Nothing is replaced.", "Write a line for each value, as a => b.")
    return found


def rows_of(given: Sequence[Any]) -> tuple[MappingRow, ...]:
    """Return rows that were typed or imported; raises SettingError, each named "rows.<place>.<field>" from 0."""
    wrong: list[SettingError] = []
    found: list[MappingRow] = []
    if len(given) > ROWS_MAX:
        raise SettingError("rows", f"These are {len(given)} rows; at most {ROWS_MAX} are taken.", "Remove some.")
    for place, one in enumerate(given):
        try:
            found.append(one if isinstance(one, MappingRow) else MappingRow.model_validate(one))
        except ValidationError as error:
            wrong.append(_of_row(place, told(error, MappingRow, titles(MappingRow))))
    if wrong:
        raise gathered(wrong)
    return tuple(found)


def _of_row(place: int, error: SettingError) -> SettingError:
    rest = tuple(_of_row(place, each) for each in error.others)
    return SettingError(f"rows.{place}.{error.name}", f"Row {place + 1}: {error.sentence}", error.hint, others=rest)


def _rows(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value or "[]")
        except (ValueError, RecursionError):
            raise Unusable("This is not JSON.", AS_SHOWN) from None
    if not isinstance(value, list | tuple):
        raise Unusable("The rows are not a list.", AS_SHOWN)
    try:
        return rows_of(value)
    except SettingError as error:
        raise Unusable(error.sentence, error.hint) from None


class MappingModule(Settings):
    """A person's own mapping; of several rows for one field the first whose condition holds gives the value."""

    rows: Annotated[tuple[MappingRow, ...], BeforeValidator(_rows)] = Field(default=(), title="Field mapping")

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Return stored rows; one that cannot be read is left out, the others stay."""
        given = stored.get("rows") if isinstance(stored, Mapping) else ()
        found = []
        for one in given if isinstance(given, list | tuple) else ():
            try:
                found.append(MappingRow.model_validate(one))
            except ValidationError:
                continue
        return cls.model_construct(rows=tuple(found[:ROWS_MAX]))

    def contradictions(self) -> list[SettingError]:
        """Return which rows stand in each other's way: two for one field, unless the first is for some records only."""
        found = []
        before: dict[tuple[str, str], list[MappingRow]] = {}
        for place, row in enumerate(self.rows):
            others = before.setdefault((row.kind, row.alias), [])
            if any(other.condition == "always" or other.when == row.when for other in others):
                name, sentence = f"rows.{place}.alias", f"Row {place + 1}: another row fills “{row.alias}” before it."
                hint = "Give the rows different conditions, the one without a condition last, or remove one."
                found.append(SettingError(name, sentence, hint))
            others.append(row)
        return found
