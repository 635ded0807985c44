"""What a process found wrong with the disk below it, for whichever process tells people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class DiskReport(Base):
    """A cause of an alert about the disk that only `process` can see; renewed while it lasts, `at` the last time."""

    __tablename__ = "disk_report"

    process: Mapped[str] = mapped_column(String(120), primary_key=True)
    cause: Mapped[str] = mapped_column(String(40), primary_key=True)
    sentence: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text, default="", server_default="")
    at: Mapped[datetime]
