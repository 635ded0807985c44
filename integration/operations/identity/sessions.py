"""Sessions of users, kept on the server: a cookie names one, and is worth nothing once that has ended."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, exists, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.models.database import waiting
from integration.models.sql import swapped
from integration.models.user import User, UserSession
from integration.pipeline.services import Services

#: A session that nobody has used for so long has ended.
LIFETIME = timedelta(days=14)
#: The last use is written at most so often.
_NOTED_EVERY = timedelta(hours=1)
#: Made once: every request asks.
_NAMED = (
    select(User, UserSession)
    .join(UserSession, UserSession.user_id == User.id)
    .where(UserSession.id == bindparam("token"), User.id == bindparam("user_id"))
)


def begin(session: Session, now: datetime, user_id: int, ip: str, browser: str = "") -> str:
    """Begin a session of a user and return its token, of which only the hash is stored; old ones are removed.

    `browser` is in words, as browsers.named gives it.
    """
    over = or_(UserSession.ended_at.is_not(None), UserSession.seen_at < now - LIFETIME)
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, over))
    token = secrets.token_hex(16)
    session.add(UserSession(id=digest(token), user_id=user_id, created_at=now, seen_at=now, ip=ip, browser=browser))
    return token


def find(session: Session, now: datetime, user_id: int, token: str) -> tuple[User, UserSession] | None:
    """Return the user that a cookie names with the session that it names, None when that has ended or is another's."""
    found = session.execute(_NAMED, {"token": digest(token), "user_id": user_id}).tuples().one_or_none()
    if found is None or found[1].ended_at is not None or found[1].seen_at < now - LIFETIME:
        return None
    return found


def note(services: Services, found: UserSession) -> None:
    """Write that a session is in use; a database that takes nothing now is told at the next request."""
    now = services.clock.now()
    if now - found.seen_at < _NOTED_EVERY:
        return
    with suppress(DBAPIError), waiting(0), services.db.write() as session:
        session.execute(update(UserSession).where(UserSession.id == found.id).values(seen_at=now))


def end(session: Session, now: datetime, token: str) -> None:
    """End one session."""
    session.execute(update(UserSession).where(UserSession.id == digest(token)).values(ended_at=now))


def open_of(session: Session, now: datetime, user_id: int) -> Sequence[UserSession]:
    """Return the sessions that are open, the one last used first."""
    query = select(UserSession).where(*_open(now, user_id))
    return session.scalars(query.order_by(UserSession.seen_at.desc(), UserSession.created_at.desc())).all()


def is_of(found: UserSession, token: str) -> bool:
    """Return whether a token is that of the session."""
    return found.id == digest(token)


def end_others(session: Session, now: datetime, user_id: int, token: str) -> int:
    """End the sessions of a user but the one that the token names, and return how many were open."""
    others = update(UserSession).where(*_open(now, user_id), UserSession.id != digest(token))
    return swapped(session, others.values(ended_at=now))


def end_all(session: Session, now: datetime, user_id: int) -> None:
    """End all sessions of a user."""
    open_ = (UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    session.execute(update(UserSession).where(*open_).values(ended_at=now))


def _open(now: datetime, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.seen_at >= now - LIFETIME


def is_known_from(session: Session, user_id: int, ip: str) -> bool:
    """Return whether the user has a session that began at this address."""
    return bool(session.scalar(select(exists().where(UserSession.user_id == user_id, UserSession.ip == ip))))
