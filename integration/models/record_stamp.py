"""Stamps of records that came to nothing when they were looked at last: the same needs not be looked at again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, and_, bindparam
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base
from integration.models.membership import among


class RecordStamp(Base):
    """A record of which nothing had to be sent, with what its delivery said of it.

    `row` is a digest of the record as the store gave it, `stamp` one of all that decided what became of it
    (pipeline/delivery/stamps.py). `version` is the end of its identity (`Change.identity`), `code` and `message` why
    nothing was sent.
    """

    __tablename__ = "record_stamp"
    __table_args__ = (Index("ix_record_stamp_person_key", "connector_id", "person_key"),)

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64))
    row: Mapped[str] = mapped_column(String(32))
    stamp: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(100))
    modified_at: Mapped[datetime | None]
    reached_at: Mapped[datetime | None]
    code: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(Text)
    contact_id: Mapped[int | None]


#: The stamps of some records of one kind; a statement with it is given of_connector, of_kind and source_ids.
OF_RECORDS = and_(
    RecordStamp.connector_id == bindparam("of_connector"),
    RecordStamp.kind == bindparam("of_kind"),
    among(RecordStamp.source_id, bindparam("source_ids")),
)
