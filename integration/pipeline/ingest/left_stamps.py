"""Takes away the stamps of records that have left the store: nobody will know them again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.record_stamp import OF_RECORDS, RecordStamp
from integration.models.sql import table_of
from integration.streams.base import LEAVES

_FORGET = delete(table_of(RecordStamp)).where(OF_RECORDS)


def forget(session: Session, connector_id: int, changes: Sequence[Change]) -> None:
    """Forget the stamps of those records among the changes that were deleted or given to another address."""
    gone = [change for change in changes if change.event in LEAVES]
    for kind in sorted({change.kind for change in gone}):
        ids = [change.source_id for change in gone if change.kind is kind]
        session.execute(_FORGET, {"of_connector": connector_id, "of_kind": kind, "source_ids": ids})
