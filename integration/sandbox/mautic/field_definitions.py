"""The fields of contacts and companies: the stock of a fresh Mautic, and how aliases are made."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Container
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
TYPES = frozenset(
    [
        "boolean",
        "country",
        "date",
        "datetime",
        "email",
        "html",
        "locale",
        "lookup",
        "multiselect",
        "number",
        "region",
        "select",
        "tel",
        "text",
        "textarea",
        "time",
        "timezone",
        "url",
    ]
)
TEXT_LIKE = frozenset({"text", "email", "tel", "url", "lookup"})
DEFAULT_LIMIT = 64
TEXT_MAX_CHARS = 191
ALIAS_LENGTH = 25

#: Columns of the table of contacts that are not fields: a field of that alias gets a number (mautic:258).
RESERVED = frozenset(
    [
        "id",
        "date_added",
        "date_modified",
        "created_by",
        "created_by_user",
        "modified_by",
        "modified_by_user",
        "owner_id",
        "stage_id",
        "color",
        "internal",
        "social_cache",
        "date_identified",
        "preferred_profile_image",
        "is_published",
        "checked_out",
    ]
)


@cache
def data(name: str) -> Any:
    """Return the parsed data file of that name."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def core_fields() -> dict[int, dict[str, Any]]:
    """Return the 43 fields of a fresh Mautic by id (mautic:098); only the e-mail is a unique identifier."""
    return {row["id"]: _core(row) for row in data("core_fields")}


def _core(row: dict[str, Any]) -> dict[str, Any]:
    about = new_field(row["id"], row["label"], row["alias"], row["type"], row["object"])
    about.update(group=row["group"], order=row["order"], properties=row["properties"] or {})
    about.update(isFixed=row["fixed"], defaultValue=row["default"])
    about.update(isUniqueIdentifier=row["alias"] == "email", isPubliclyUpdatable=row["alias"] == "email")
    return about


def new_field(number: int, label: str, alias: str, kind: str, about: str) -> dict[str, Any]:
    """Return a field as the API shows it (mautic:248), with its length limit under `charLengthLimit`."""
    return {
        "isPublished": True,
        "dateAdded": None,
        "dateModified": None,
        "createdBy": None,
        "createdByUser": None,
        "modifiedBy": None,
        "modifiedByUser": None,
        "id": number,
        "label": label,
        "alias": alias,
        "type": kind,
        "group": "core",
        "order": number,
        "object": about,
        "defaultValue": None,
        "isRequired": False,
        "isFixed": False,
        "isListable": True,
        "isVisible": True,
        "isShortVisible": False,
        "isUniqueIdentifier": False,
        "isPubliclyUpdatable": False,
        "properties": {},
        "charLengthLimit": DEFAULT_LIMIT,
    }


def clean_alias(wanted: str) -> str:
    """Return an alias: transliterated, [a-z0-9_] only, at most 25 characters (mautic:259-262)."""
    latin = unicodedata.normalize("NFKD", wanted.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9_]", "", latin.lower().strip().replace(" ", "_"))
    return plain[:ALIAS_LENGTH].rstrip("_")


def free_alias(alias: str, taken: Container[str] | Callable[[str], bool]) -> str:
    """Return the alias, or with the first number behind it that is free (mautic:222, mautic:258)."""
    is_taken = taken if callable(taken) else taken.__contains__
    if not is_taken(alias):
        return alias
    number = 1
    while is_taken(f"{alias}{number}"):
        number += 1
    return f"{alias}{number}"
