"""For how many days each kind of row is kept: an organisation's own numbers over the usual ones."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from integration.models.organisation import Organisation
from integration.settings.retention import Retention


class Keep(Retention):
    """What one organisation keeps."""

    @classmethod
    def of(cls, organisation: Organisation | None) -> Keep:
        """Return what an organisation keeps; what it has not set is as usual."""
        return cls.from_json(dict(organisation.retention or {}) if organisation else {})


def save(session: Session, organisation: Organisation, keep: Keep) -> dict[str, list[Any]]:
    """Store an organisation's numbers in the caller's transaction and return {name: [before, after]}."""
    before, after = Keep.of(organisation).model_dump(), keep.model_dump()
    organisation.retention = after
    session.flush()
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}
