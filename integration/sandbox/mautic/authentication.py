"""Who is asking: the switches of the API, tokens, HTTP basic and the rate limit, checked before each request."""

from __future__ import annotations

import base64
import math
import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.faults import Fault, Faults
from integration.sandbox.mautic.answers import BasicRefused, KernelError, Refused, dump, json_answer
from integration.sandbox.mautic.request_body import form
from integration.sandbox.mautic.state import State
from integration.sandbox.mautic.user_accounts import Caller, Credentials, caller_of

SWITCH = "You need to enable {} in the API settings of Mautic's Configuration."
API_OFF = f"API disabled. {SWITCH.format('the API')}"
BASIC_OFF = f"Basic Auth disabled. {SWITCH.format('HTTP basic auth')}"
DENIED = "API authorization denied."
WRONG = "Authorization denied, invalid credentials."
HOUR = 3600


class Authentication:
    """Checks requests; keeps the tokens that were given out, as token -> time of expiry."""

    def __init__(self, state: State, faults: Faults, credentials: Credentials) -> None:
        self._state = state
        self._faults = faults
        self._credentials = credentials
        self.tokens: dict[str, datetime] = {}

    def check(self) -> None:
        """Raise unless the request may go on; sets g.caller. API first, then credentials, then the limit.

        Recorded as mautic:355 to mautic:359.
        """
        g.limits = {}
        if self._fault(Fault.API_DISABLED):
            # Before the password is looked at (mautic:357, mautic:358).
            raise KernelError(403, API_OFF, "api_disabled")
        if request.path.startswith("/oauth/"):
            return
        g.caller = self._caller()
        self._limit()

    def _fault(self, kind: Fault) -> Any:
        return self._faults.take(kind, request.method, request.path)

    def _caller(self) -> Caller:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._basic(given.strip())
        token = given.strip() if scheme.lower() == "bearer" else request.args.get("access_token", "")
        if not token:
            raise KernelError(401, DENIED, "access_denied")  # mautic:001, mautic:006.
        return self._bearer(token)

    def _basic(self, given: str) -> Caller:
        if self._fault(Fault.BASIC_DISABLED):
            raise KernelError(403, BASIC_OFF, "access_denied")
        username, _, password = _decoded(given).partition(":")
        user = next((row for row in self._state.users.values() if username in (row["username"], row["email"])), None)
        refused = self._fault(Fault.WRONG_CREDENTIALS)
        if refused or user is None or user["password"] != password or not user["isPublished"]:
            raise (
                BasicRefused if self._state.major >= 7 else KernelError(401, WRONG, "access_denied")
            )  # 002, 003, 353.
        return caller_of(self._state, user)

    def _bearer(self, token: str) -> Caller:
        expires = self.tokens.get(token)
        if expires is None or self._fault(Fault.WRONG_CREDENTIALS):
            raise KernelError(401, "The access token provided is invalid.", "invalid_grant")
        if expires <= self._state.clock.now():
            raise KernelError(401, "The access token provided has expired.", "invalid_grant")
        return Caller(None, f"{self._credentials.client_name} [1]", True, {})

    def _limit(self) -> None:
        rule = None if self._state.major >= 7 else self._fault(Fault.RATE_LIMIT)
        if rule is None:
            return
        reset = math.ceil(self._state.clock.now().timestamp()) + HOUR
        left = max(0, int(rule.value) - rule.used)
        g.limits = {
            "X-RateLimit-Limit": str(rule.value),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(reset),
        }
        if rule.used > int(rule.value):
            if rule.retry_after is not None:
                g.limits["Retry-After"] = f"{rule.retry_after:g}"
            raise Refused(429, f"You exceeded the rate limit of {rule.value} API calls per hour.")

    def token(self) -> Response:
        """Answer POST and GET /oauth/v2/token (mautic:007-014)."""
        sent = {**request.args.to_dict(), **form()}
        grant = sent.get("grant_type")
        if not grant:
            raise KernelError(400, "Invalid grant_type parameter or parameter missing", "invalid_request")
        if self._fault(Fault.WRONG_CREDENTIALS) or _client(sent) != self._expected():
            raise KernelError(400, "The client credentials are invalid", "invalid_client")
        if grant != "client_credentials":
            raise KernelError(400, "The grant type is unauthorized for this client_id", "unauthorized_client")
        return self._issue()

    def _expected(self) -> tuple[str, str]:
        known = self._credentials
        return known.client_id, known.client_secret

    def _issue(self) -> Response:
        lifetime = self._credentials.token_lifetime
        token = base64.b64encode(secrets.token_hex(32).encode()).decode().rstrip("=")
        self.tokens[token] = self._state.clock.now() + timedelta(seconds=lifetime)
        given = {"access_token": token, "expires_in": lifetime, "token_type": "bearer", "scope": None}
        return json_answer(dump(given), 200, {"Cache-Control": "no-store, private", "Pragma": "no-cache"})

    def expire(self) -> None:
        """Make every token that was given out expire now (mautic:018)."""
        now = self._state.clock.now()
        self.tokens = dict.fromkeys(self.tokens, now)

    def revoke(self) -> None:
        """Forget every token, as a cleared table of tokens does (mautic:005)."""
        self.tokens = {}


def _decoded(given: str) -> str:
    try:
        return base64.b64decode(given).decode()
    except ValueError:
        return ""


def _client(sent: dict[str, Any]) -> tuple[str, str]:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = _decoded(given).partition(":")  # mautic:009.
        return name, secret
    return str(sent.get("client_id", "")), str(sent.get("client_secret", ""))
