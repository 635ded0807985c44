"""What the installation knows of itself: where it is reached, and which key its secrets are sealed with."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base

#: There is one row.
ID = 1


class Installation(Base):
    """The one row of the installation.

    `public_address` is the address at which it was last served, for processes that are not told it; `key_check` is a
    text sealed with SECRET_KEY, by which another key is noticed.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_address: Mapped[str] = mapped_column(String(500), default="")
    key_check: Mapped[str] = mapped_column(Text, default="")
