"""A write of a contact that was checked and is not stored yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.contact import Contact


class Mode(Enum):
    """How fields that were not sent are treated: PUT empties them, NEW does with overwriteWithBlank (mautic:027,
    mautic:111, mautic:112).
    """

    NEW = "new"
    PATCH = "patch"
    PUT = "put"


@dataclass
class Draft:
    """A checked write: `values` to store (None empties), `shown` what the answer shows otherwise than is stored."""

    contact: Contact | None
    row: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    mode: Mode = Mode.NEW


def is_blank(about: dict[str, Any], sent: Any) -> bool:
    """Tell whether what was sent for a field leaves it empty; a boolean's false does not."""
    if sent is None or sent == []:
        return True
    return isinstance(sent, str | bool) and not php_format.trim(php_format.text(sent)) and not _is_no(about, sent)


def _is_no(about: dict[str, Any], sent: Any) -> bool:
    return sent is False and about["type"] == "boolean"
