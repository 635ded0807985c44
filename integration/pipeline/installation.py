"""The installation's own row: the address at which it is reached, and the check of its SECRET_KEY."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.alert import AlertGroup
from integration.models.connector import Connector
from integration.models.installation import ID, Installation
from integration.models.vault import Vault

KEY_LOST = SettingError(
    "SECRET_KEY",
    "The secret.key (or SECRET_KEY) that belongs to this database is missing, so stored credentials cannot be read.",
    "Put the old key back and restart, or enter the credentials again on the Connection tab of each connector.",
)
_CHECK = {"check": "woo-mautic"}
#: What was sealed with the installation's key; made once.
KEY_CHECK = select(Installation.key_check).where(Installation.id == ID)


def keep_address(session: Session, address: str) -> None:
    """Keep the address at which the pages are served now."""
    row = _row(session)
    if row.public_address != address:
        row.public_address = address


def kept_address(session: Session) -> str:
    """Return the address at which the pages were last served, "" when they never were."""
    return session.scalar(select(Installation.public_address).where(Installation.id == ID)) or ""


def key_is_lost(session: Session, vault: Vault) -> bool:
    """Return whether something is stored that was sealed with another key."""
    return misses_key(session, vault, session.scalar(KEY_CHECK))


def misses_key(session: Session, vault: Vault, check: str | None) -> bool:
    """Return the same where KEY_CHECK was asked for already."""
    if check and vault.opens(check):
        return False
    return any(not vault.opens(sealed) for sealed in _sealed(session))


def check_key(session: Session, vault: Vault) -> bool:
    """Return whether the key is lost; where it is not, it is the installation's from now on."""
    if key_is_lost(session, vault):
        return True
    row = _row(session)
    if not row.key_check or not vault.opens(row.key_check):
        row.key_check = vault.seal(_CHECK)
    return False


def _sealed(session: Session) -> Iterator[str]:
    """Yield every sealed text of the database."""
    for column in (Connector.secrets, Connector.mautic_token, AlertGroup.webhook):
        yield from (sealed for sealed in session.scalars(select(column)) if sealed)


def _row(session: Session) -> Installation:
    row = session.get(Installation, ID)
    if row is None:
        row = Installation(id=ID, public_address="", key_check="")
        session.add(row)
    return row
