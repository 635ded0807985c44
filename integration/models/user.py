"""Users and their roles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class Role(StrEnum):
    """What a user may do, from least to most (G2)."""

    VIEWER = "viewer"
    SUPPORT = "support"
    ADMIN = "admin"
    SUPER = "super"

    @property
    def rank(self) -> int:
        """Return 0 for viewer up to 3 for super."""
        return _RANKS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class User(Base):
    """Someone who signs in; `email` is stored case-folded, `session_key` ends all sessions when it changes."""

    __tablename__ = "user_account"

    id: Mapped[Key]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    role: Mapped[str] = mapped_column(String(10), default=Role.VIEWER)
    session_key: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class SignInLink(Base):
    """A one-time sign-in link; only the hash of its token is stored."""

    __tablename__ = "sign_in_link"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class UserSession(Base):
    """A user signed in from a browser; `id` is the hash of what the cookie has, `ip` where the session began.

    `browser` is in words ("Firefox on Windows"), "" where the session began before it was kept.
    """

    __tablename__ = "user_session"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ip: Mapped[str] = mapped_column(String(45), default="")
    browser: Mapped[str] = mapped_column(String(60), default="", server_default="")
