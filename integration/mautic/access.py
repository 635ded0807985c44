"""How to get into a Mautic: its address, the way of signing in, and the box that keeps the token."""

from __future__ import annotations

import re
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import urlsplit, urlunsplit

Method = Literal["basic", "client_credentials", "authorization_code"]


@dataclass(frozen=True, slots=True)
class MauticAccess:
    """Address and credentials of one Mautic; `ca` is the PEM of authorities that may have signed its certificate."""

    url: str
    method: Method = "basic"
    user: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth2 access token; `expires_at` is aware, `refresh_token` is "" for client credentials (mautic:007)."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(default="", repr=False)

    def lives_until(self, moment: datetime, spare: timedelta = timedelta(seconds=60)) -> bool:
        """Tell whether the token can still be used at `moment` with `spare` time left."""
        return self.expires_at - spare > moment


class TokenBox(Protocol):
    """Keeps one connector's token; `lock` lets one renewal run at a time, over all processes that share the box."""

    def load(self) -> Token | None:
        """Return the token kept, None without one."""

    def save(self, token: Token | None) -> None:
        """Keep this token, or none."""

    def lock(self) -> AbstractContextManager[object]:
        """Return a context manager that one renewal at a time may hold."""


class MemoryTokens:
    """A token box that lives as long as the process."""

    def __init__(self, token: Token | None = None) -> None:
        self._token = token
        self._lock = threading.Lock()

    def load(self) -> Token | None:
        """Return the token kept, None without one."""
        return self._token

    def save(self, token: Token | None) -> None:
        """Keep this token, or none."""
        self._token = token

    def lock(self) -> AbstractContextManager[object]:
        """Return the lock of this box."""
        return self._lock


#: What people paste behind the root: the API's own path, and pages of the administration.
_BEHIND_THE_ROOT = re.compile(r"/(?:api|s|oauth)(?:/.*)?$")


def root(url: str) -> str:
    """Return Mautic's root without a slash at the end, sub-directory and /index.php kept, user info and query dropped.

    A double slash in the path would be answered with 404 (dossier M10).
    """
    parts = urlsplit(url.strip())
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    path = _BEHIND_THE_ROOT.sub("", path).rstrip("/")
    return urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2], path, "", ""))
