"""Signing in to Mautic: HTTP basic, or an OAuth2 token that is fetched once and kept."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from integration.clock import Clock
from integration.http.transport import Transport
from integration.http.upstream import error_named
from integration.mautic.access import MauticAccess, Token, TokenBox, root
from integration.mautic.answers import SERVICE, classify, read

TOKEN_PATH = "/oauth/v2/token"
LIFETIME = 3600


def authorize_url(access: MauticAccess, redirect_uri: str, state: str) -> str:
    """Return the page of Mautic where a person authorises us (dossier 2.3); `state` must come back unchanged."""
    query = {
        "client_id": access.client_id,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
    }
    return f"{root(access.url)}/oauth/v2/authorize?{urlencode(query)}"


def exchange_code(access: MauticAccess, code: str, redirect_uri: str, transport: Transport, clock: Clock) -> Token:
    """Return the first token for the code of the redirect page; raises AuthRejected (grant_refused, invalid_client)."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return request_token(access, form, transport, clock)


def request_token(
    access: MauticAccess, form: Mapping[str, str], transport: Transport, clock: Clock, refresh_token: str = ""
) -> Token:
    """Return a new token (mautic:007); the parameters must be a form, some versions refuse JSON (dossier M06).

    `refresh_token` is kept when the answer brings no other. Raises ServiceErrors as classified.
    """
    whole = {**form, "client_id": access.client_id, "client_secret": access.client_secret}
    answer = transport.send(
        "POST",
        root(access.url) + TOKEN_PATH,
        body=urlencode(whole).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    with transport.judged(write=False):
        error = classify(answer, clock.now(), basic=False, path="oauth")
        if error is not None:
            raise error
        return _token(read(answer), clock, refresh_token)


def _token(value: object, clock: Clock, refresh_token: str) -> Token:
    text = value.get("access_token") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(text, str) or not text:
        raise error_named("unreadable", SERVICE)
    seconds = value.get("expires_in")
    lifetime = seconds if isinstance(seconds, int) and seconds > 0 else LIFETIME
    later = value.get("refresh_token")
    return Token(text, clock.now() + timedelta(seconds=lifetime), later if isinstance(later, str) else refresh_token)


@dataclass
class Login:
    """Gives the Authorization header of one access; tokens are renewed one at a time, 60 s before they expire."""

    access: MauticAccess
    tokens: TokenBox
    transport: Transport
    clock: Clock

    @property
    def basic(self) -> bool:
        """Tell whether each call carries user and password."""
        return self.access.method == "basic"

    def header(self) -> str:
        """Return the value of Authorization; raises AuthRejected (no_credentials, not_authorised) and token errors."""
        if not self.basic:
            return f"Bearer {self.token().access_token}"
        if not self.access.user or not self.access.password:
            raise error_named("no_credentials", SERVICE)
        pair = f"{self.access.user}:{self.access.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    def token(self) -> Token:
        """Return the kept token, or a new one when it is about to expire."""
        kept = self.tokens.load()
        if kept is not None and kept.lives_until(self.clock.now()):
            return kept
        with self.tokens.lock():
            kept = self.tokens.load()
            if kept is not None and kept.lives_until(self.clock.now()):
                return kept
            return self._renew(kept)

    def replace(self, refused: str) -> None:
        """Make sure that the kept token is another than the header `refused` (mautic:005, mautic:018)."""
        with self.tokens.lock():
            kept = self.tokens.load()
            if kept is None or f"Bearer {kept.access_token}" == refused:
                self._renew(kept)

    def _renew(self, kept: Token | None) -> Token:
        if not self.access.client_id or not self.access.client_secret:
            raise error_named("no_credentials", SERVICE)
        token = request_token(self.access, self._form(kept), self.transport, self.clock, self._refresh(kept))
        self.tokens.save(token)
        return token

    def _form(self, kept: Token | None) -> dict[str, str]:
        if self.access.method == "client_credentials":
            return {"grant_type": "client_credentials"}
        if not self._refresh(kept):
            raise error_named("not_authorised", SERVICE)
        return {"grant_type": "refresh_token", "refresh_token": self._refresh(kept)}

    @staticmethod
    def _refresh(kept: Token | None) -> str:
        return kept.refresh_token if kept else ""
