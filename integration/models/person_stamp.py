"""Stamps of people of whom nothing differed when they were compared last: the same needs not be compared again."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class PersonStamp(Base):
    """A person whose contact was as it is to be; `stamp` is a digest of all that decided that.

    What that is says operations/reconciliation/agreed.py.
    """

    __tablename__ = "person_stamp"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    stamp: Mapped[str] = mapped_column(String(32))
