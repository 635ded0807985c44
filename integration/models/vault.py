"""What is made with SECRET_KEY: secrets encrypted at rest, and tokens that nobody can guess."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from integration.errors import SettingError


class Vault:
    """Turns a mapping of secrets into text and back, with a key derived from SECRET_KEY; `old` keys read only."""

    def __init__(self, secret_key: str, old: Sequence[str] = ()) -> None:
        self._newest = _fernet(secret_key)
        self._fernet = MultiFernet([self._newest, *map(_fernet, old)])
        self._tokens = _derived(secret_key, b"woo-mautic tokens")

    def token(self, purpose: str) -> str:
        """Return 32 characters that nobody can guess without SECRET_KEY, always the same for one purpose."""
        mark = hmac.new(self._tokens, purpose.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mark[:24]).decode()

    def seal(self, secrets: Mapping[str, Any]) -> str:
        """Return the secrets encrypted, as text for a column."""
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode()).decode()

    def open(self, sealed: str | None) -> dict[str, Any]:
        """Return the secrets; raises SettingError when SECRET_KEY is not the one they were sealed with."""
        if not sealed:
            return {}
        try:
            opened: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise SettingError(
                "SECRET_KEY",
                "Stored secrets cannot be read with this SECRET_KEY.",
                "Put the old key back, or enter the credentials again.",
            ) from None
        return opened

    def opens(self, sealed: str) -> bool:
        """Return whether the text was sealed with this key."""
        try:
            self.open(sealed)
        except SettingError:
            return False
        return True

    def is_newest(self, sealed: str) -> bool:
        """Return whether the text was sealed with SECRET_KEY itself, not with an old key."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def renewed(self, sealed: str) -> str:
        """Return the same secrets sealed with SECRET_KEY; raises SettingError when no key reads them."""
        return self.seal(self.open(sealed))

    def readable(self, sealed: str | None) -> dict[str, Any]:
        """Return the secrets, none where they were sealed with another key."""
        return self.open(sealed) if sealed and self.opens(sealed) else {}


def fingerprint(secret_key: str) -> str:
    """Return 16 hex digits by which a SECRET_KEY is known again, and from which nothing of it can be learnt."""
    return _derived(secret_key, b"woo-mautic fingerprint").hex()[:16]


def _fernet(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(secret_key, b"woo-mautic secrets")))


def _derived(secret_key: str, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose).derive(secret_key.encode())
