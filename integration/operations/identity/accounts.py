"""Users: made, given passwords, signed in by password or by a one-time link."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import cache

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from integration.digests import digest
from integration.errors import SettingError
from integration.field_text import checked_name
from integration.models.sql import swapped
from integration.models.user import Role, SignInLink, User
from integration.operations.identity import sessions
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.services import Services

NAME_MAX_CHARS = 120
SHORTEST_PASSWORD = 10
PASSWORD_MAX_CHARS = 200
LINK_LIFETIME = timedelta(hours=24)


def create_user(
    services: Services,
    organisation_id: int,
    email: str,
    role_name: Role | str,
    password: str = "",
    name: str = "",
    *,
    audit: Audit[User] = unaudited,
) -> int:
    """Make a user and return the id; without a password only a one-time link signs in.

    Raises SettingError (email, role, password) for a value that cannot be used or an address that is taken.
    """
    checked, chosen = address(email), role(role_name)
    hashed, now = hash_password(password) if password else "", services.clock.now()
    with services.db.write() as session:
        user = add_user(session, now, organisation_id, email=checked, role=chosen, password_hash=hashed, name=name)
        audit(session, user)
        return user.id


def add_user(
    session: Session, now: datetime, organisation_id: int, *, email: str, role: str, password_hash: str, name: str
) -> User:
    """Store a user whose address and role were checked; raises SettingError (email) when the address is taken."""
    if find(session, email):
        raise SettingError("email", f"There is a user with the address {email} already.", "Choose another one.")
    user = User(
        organisation_id=organisation_id,
        email=email,
        name=checked_name("name", name, NAME_MAX_CHARS),
        password_hash=password_hash,
        role=role,
        session_key=secrets.token_hex(16),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def set_password(services: Services, user_id: int, password: str, *, audit: Audit[User] = unaudited) -> str:
    """Give a user a new password and return the new session key: all open sessions and links of the user end.

    Raises SettingError (password) when it is too short or too long, LookupError for an unknown user.
    """
    hashed = hash_password(password)
    key = secrets.token_hex(16)
    with services.db.write() as session:
        user = session.get(User, user_id)
        if user is None:
            raise LookupError(f"there is no user {user_id}")
        user.password_hash, user.session_key = hashed, key
        sessions.end_all(session, services.clock.now(), user_id)
        session.execute(
            update(SignInLink)
            .where(SignInLink.user_id == user_id, SignInLink.used_at.is_(None))
            .values(used_at=services.clock.now())
        )
        audit(session, user)
    return key


def authenticate(session: Session, email: str, password: str) -> User | None:
    """Return the user of an address and password, None when they do not fit; both take the same time."""
    user = find(session, email)
    usable = user is not None and bool(user.password_hash) and user.disabled_at is None
    hashed = user.password_hash if user is not None and usable else _nobodys_hash()
    fits = check_password_hash(hashed, password[:PASSWORD_MAX_CHARS])
    return user if fits and usable else None


def find(session: Session, email: str) -> User | None:
    """Return the user of an address, None when there is none."""
    return session.scalar(select(User).where(User.email == email.strip().casefold()))


def make_link(services: Services, user_id: int, *, audit: Audit[User] = unaudited) -> str:
    """Return the token of a new one-time sign-in link, good for 24 hours; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    with services.db.write() as session:
        user = session.get_one(User, user_id)
        session.add(
            SignInLink(user_id=user_id, token_hash=digest(token), expires_at=services.clock.now() + LINK_LIFETIME)
        )
        audit(session, user)
    return token


def link_is_good(session: Session, now: datetime, token: str) -> bool:
    """Return whether a link can still be used; looking does not use it up."""
    link = session.scalar(select(SignInLink).where(SignInLink.token_hash == digest(token)))
    return link is not None and link.used_at is None and link.expires_at > now


def use_link(session: Session, now: datetime, token: str) -> User | None:
    """Use a link up and return its user; None when it is unknown, used or too old. The caller commits."""
    link = session.scalar(select(SignInLink).where(SignInLink.token_hash == digest(token)))
    if link is None:
        return None
    # Two clicks at once: only the one whose update finds the link unused signs in.
    taken = swapped(
        session,
        update(SignInLink)
        .where(SignInLink.id == link.id, SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        .values(used_at=now)
        .execution_options(synchronize_session=False),
    )
    user = session.get(User, link.user_id) if taken == 1 else None
    return user if user is not None and user.disabled_at is None else None


def address(email: str) -> str:
    """Return an e-mail address as it is stored; raises SettingError (email)."""
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise SettingError("email", f"“{email[:80]}” is not an e-mail address.", str(error)) from None
    return checked.normalized.casefold()


def role(name: Role | str) -> Role:
    """Return a role by its name; raises SettingError (role)."""
    try:
        return Role(name)
    except ValueError:
        names = ", ".join(Role)
        raise SettingError("role", f"“{name}” is no role.", f"Choose one of {names}.") from None


def hash_password(password: str) -> str:
    """Return what is stored of a password; it takes a while, so no transaction waits for it. Raises SettingError."""
    return generate_password_hash(check_password(password))


def check_password(password: str) -> str:
    """Return a password that is long enough; raises SettingError (password)."""
    if len(password) < SHORTEST_PASSWORD:
        raise SettingError(
            "password", f"The password needs at least {SHORTEST_PASSWORD} characters.", "A few words make a good one."
        )
    if len(password) > PASSWORD_MAX_CHARS:
        raise SettingError("password", f"The password is longer than {PASSWORD_MAX_CHARS} characters.", "Shorten it.")
    return password


@cache
def _nobodys_hash() -> str:
    """Return what is compared with when there is no such user: an unknown address takes as long as a wrong password.

    It takes a tenth of a second to make, which a command that signs nobody in need not wait for.
    """
    return generate_password_hash(secrets.token_hex(16))
