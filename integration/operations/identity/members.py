"""The members of an organisation: roles changed, people disabled and enabled, invited and welcomed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.errors import IntegrationError, SettingError
from integration.models.access import Invitation
from integration.models.user import Role, User
from integration.operations.identity import accounts, sessions
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.services import Services

INVITED_FOR = timedelta(days=7)
LAST_ADMIN = IntegrationError(
    "last_admin",
    "This is the last administrator of the organisation.",
    "Make somebody else an administrator first.",
)
LAST_SUPER = IntegrationError(
    "last_super",
    "This is the last super admin of the installation.",
    "Make somebody else one first, with `woo-mautic user role`.",
)
OWN_ACCOUNT = IntegrationError(
    "own_account", "Nobody can take the own access away, or lower the own role.", "Ask another administrator to do it."
)
TOO_HIGH = IntegrationError(
    "role_too_high", "You cannot give a role above your own, nor change somebody who has one.", "Ask a super admin."
)


def members(session: Session, organisation_id: int) -> Sequence[User]:
    """Return an organisation's users by address."""
    return session.scalars(select(User).where(User.organisation_id == organisation_id).order_by(User.email)).all()


def change_role(
    session: Session, user: User, role: str, actor: Role, now: datetime, *, by: int | None = None
) -> list[str]:
    """Give a user another role and return [before, after]; raises IntegrationError when that must not be.

    `by` is the id of the user who does it, None for the command line.
    """
    try:
        wanted = Role(role)
    except ValueError:
        raise SettingError("role", f"“{role}” is no role.", f"Choose one of {', '.join(Role)}.") from None
    if wanted.rank > actor.rank or Role(user.role).rank > actor.rank:
        raise TOO_HIGH
    if wanted.rank < Role.ADMIN.rank:
        _keep_an_admin(session, user)
        withdraw_all(session, now, user)
    if wanted.rank < Role(user.role).rank:
        _keep_a_super(session, user)
        _not_oneself(user, by)
    before, user.role = user.role, wanted
    return [before, wanted]


def disable(session: Session, user: User, now: datetime, actor: Role, *, by: int | None = None) -> None:
    """Shut a user out: all sessions end at once; raises IntegrationError when that must not be."""
    if Role(user.role).rank > actor.rank:
        raise TOO_HIGH
    _keep_an_admin(session, user)
    _keep_a_super(session, user)
    _not_oneself(user, by)
    user.disabled_at, user.session_key = now, secrets.token_hex(16)
    sessions.end_all(session, now, user.id)
    withdraw_all(session, now, user)


def withdraw_all(session: Session, now: datetime, user: User) -> None:
    """Make the open invitations of somebody useless who may not invite any more."""
    open_ = (Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
    session.execute(update(Invitation).where(Invitation.invited_by == user.email, *open_).values(withdrawn_at=now))


def _may_still_invite(session: Session, found: Invitation) -> bool:
    """Return whether who sent an invitation could send it today; one whose account is not known could."""
    inviter = accounts.find(session, found.invited_by)
    return inviter is None or (not inviter.disabled_at and Role(inviter.role).rank >= Role(found.role).rank)


def enable(user: User, actor: Role) -> None:
    """Let a user in again; raises IntegrationError when that must not be."""
    if Role(user.role).rank > actor.rank:
        raise TOO_HIGH
    user.disabled_at = None


def _keep_an_admin(session: Session, user: User) -> None:
    admins = (User.organisation_id == user.organisation_id, User.role.in_([Role.ADMIN, Role.SUPER]))
    if Role(user.role).rank >= Role.ADMIN.rank and not user.disabled_at and not _others(session, user, *admins):
        raise LAST_ADMIN


def _keep_a_super(session: Session, user: User) -> None:
    """Keep somebody who sees the whole installation; a user who is shut out already is none."""
    if user.role == Role.SUPER and not user.disabled_at and not _others(session, user, User.role == Role.SUPER):
        raise LAST_SUPER


def _others(session: Session, user: User, *which: ColumnElement[bool]) -> int:
    others = select(func.count()).where(*which, User.disabled_at.is_(None), User.id != user.id)
    return session.scalar(others) or 0


def _not_oneself(user: User, by: int | None) -> None:
    if user.id == by:
        raise OWN_ACCOUNT


def invite(
    services: Services,
    organisation_id: int,
    email: str,
    role: str,
    actor: Role,
    invited_by: str,
    *,
    audit: Audit[Invitation] = unaudited,
) -> str:
    """Ask somebody to join and return the token of the link; raises SettingError (email, role) or IntegrationError."""
    address = accounts.address(email)
    wanted = accounts.role(role)
    if wanted.rank > actor.rank:
        raise TOO_HIGH
    token, now = secrets.token_urlsafe(32), services.clock.now()
    with services.db.write() as session:
        if accounts.find(session, address):
            raise SettingError("email", f"There is a user with the address {address} already.", "Choose another one.")
        made = Invitation(
            organisation_id=organisation_id,
            email=address,
            role=wanted,
            token_hash=digest(token),
            invited_by=invited_by,
            created_at=now,
            expires_at=now + INVITED_FOR,
        )
        session.add(made)
        audit(session, made)
    return token


def invitations(session: Session, organisation_id: int, now: datetime) -> Sequence[Invitation]:
    """Return the invitations that can still be accepted, newest first."""
    open_ = (Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > now)
    query = select(Invitation).where(Invitation.organisation_id == organisation_id, *open_)
    return session.scalars(query.order_by(Invitation.id.desc())).all()


def invitation(session: Session, token: str) -> Invitation | None:
    """Return the invitation of a link, whatever has become of it."""
    return session.scalar(select(Invitation).where(Invitation.token_hash == digest(token)))


def standing(found: Invitation | None, now: datetime) -> str:
    """Return good, unknown, used, withdrawn or expired."""
    if found is None:
        return "unknown"
    if found.accepted_at is not None:
        return "used"
    if found.withdrawn_at is not None:
        return "withdrawn"
    return "good" if found.expires_at > now else "expired"


def accept(services: Services, token: str, name: str, password: str, *, audit: Audit[User] = unaudited) -> int:
    """Make the invited user and return the id; raises SettingError (password, token, email)."""
    hashed, now = accounts.hash_password(password), services.clock.now()
    with services.db.write() as session:
        found = invitation(session, token)
        if found is None or standing(found, now) != "good" or not _may_still_invite(session, found):
            raise SettingError("token", "This invitation cannot be used any more.", "Ask for a new one.")
        found.accepted_at = now
        user = accounts.add_user(
            session,
            now,
            found.organisation_id,
            email=found.email,
            role=found.role,
            password_hash=hashed,
            name=name,
        )
        audit(session, user)
        return user.id
