"""Each buyer's RFM scores as they were last owed to Mautic: who moves is found by comparing with them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class BuyerScore(Base):
    """The classes of one person, 1 to 5 each, 0 for none; `id` names the score as a record of the road."""

    __tablename__ = "buyer_score"
    __table_args__ = (Index("uq_buyer_score_person", "connector_id", "person_key", unique=True),)

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    person_key: Mapped[str] = mapped_column(String(64))
    recency: Mapped[int]
    frequency: Mapped[int]
    monetary: Mapped[int]
    scored_at: Mapped[datetime]
