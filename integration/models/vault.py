"""Encrypts secrets at rest."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from integration.errors import SettingError


class Vault:
    """Turns a mapping of secrets into text and back, with a key derived from SECRET_KEY."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"woo-mautic secrets").derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

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

    def readable(self, sealed: str | None) -> dict[str, Any]:
        """Return the secrets, none where they were sealed with another key."""
        return self.open(sealed) if sealed and self.opens(sealed) else {}
