"""One contact as Mautic keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

MOMENTS = ("added", "modified", "identified", "last_active")


@dataclass(slots=True)
class Contact:
    """A row of the table `leads` with what hangs on it.

    `values` maps an alias to its value and holds no blanks; `tags` are ids in the order they were added; `dnc` holds
    {"id", "reason", "comments", "channel", "dateAdded"}; `segments` maps a segment id to the time of adding;
    `history` holds {"id", "name", "action", "at"} of adding to segments and removing.
    """

    id: int
    added: datetime
    values: dict[str, Any] = field(default_factory=dict)
    points: int = 0
    tags: list[int] = field(default_factory=list)
    dnc: list[dict[str, Any]] = field(default_factory=list)
    segments: dict[int, str] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    companies: list[int] = field(default_factory=list)
    owner: int | None = None
    last_active: datetime | None = None
    ips: list[dict[str, Any]] = field(default_factory=list)
    utm: list[dict[str, Any]] = field(default_factory=list)
    modified: datetime | None = None
    identified: datetime | None = None
    created_by: int | None = None
    created_by_user: str | None = None
    modified_by: int | None = None
    modified_by_user: str | None = None

    @property
    def email(self) -> str:
        """Return the address, "" for none."""
        return str(self.values.get("email") or "")

    def as_json(self) -> dict[str, Any]:
        """Return the contact as JSON values for the snapshot."""
        row = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Contact:
        """Return the contact that as_json() described."""
        saved = {name: datetime.fromisoformat(row[name]) if row[name] else None for name in MOMENTS}
        segments = {int(key): value for key, value in row["segments"].items()}
        return cls(**{**row, **saved, "segments": segments})
