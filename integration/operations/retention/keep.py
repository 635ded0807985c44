"""For how many days each kind of row is kept: an organisation's own numbers over the usual ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.organisation import Organisation

LEAST, MOST = 1, 3650


@dataclass(frozen=True, slots=True)
class Keep:
    """Days (monitoring.md, Numbers); `payload_hours` is in hours after the run."""

    success: int = 90
    errors: int = 180
    deliveries: int = 90
    runs: int = 90
    audit: int = 730
    payload_hours: int = 24

    @classmethod
    def of(cls, organisation: Organisation | None) -> Keep:
        """Return what an organisation keeps; what it has not set is as usual."""
        stored = dict(organisation.retention or {}) if organisation else {}
        known = {field.name for field in fields(cls)}
        return cls(**{name: int(value) for name, value in stored.items() if name in known})

    def with_values(self, values: Mapping[str, str]) -> Keep:
        """Return a copy with typed values; raises SettingError naming the first that is no number of days."""
        typed = {name: _days(name, text) for name, text in values.items() if name in asdict(self)}
        return Keep(**{**asdict(self), **typed})


def _days(name: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6 and LEAST <= int(text) <= MOST):
        raise SettingError(
            name, f"“{text}” is no number of days or hours.", f"Write a whole number from {LEAST} to {MOST}."
        )
    return int(text)


def save(session: Session, organisation: Organisation, keep: Keep) -> dict[str, list[Any]]:
    """Store an organisation's numbers in the caller's transaction and return {name: [before, after]}."""
    before, after = asdict(Keep.of(organisation)), asdict(keep)
    organisation.retention = after
    session.flush()
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}
