"""The stand-in Mautic: a REST API on a socket that answers as the recordings of a real one do."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from flask import g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from integration.clock import Clock
from integration.sandbox.faults import Rule
from integration.sandbox.mautic import (
    activity,
    companies,
    contact_batches,
    contacts,
    emails,
    fields,
    notes,
    oauth,
    segments,
    stats,
    tags,
    users,
)
from integration.sandbox.mautic.answers import OFFLINE, KernelError, Refused, error_answer, unknown_url
from integration.sandbox.mautic.authentication import Authentication
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.state import State
from integration.sandbox.mautic.user_accounts import Credentials, first_users
from integration.sandbox.server import SandboxServer, nginx_page

RESOURCES = (
    activity,
    contact_batches,
    companies,
    contacts,
    emails,
    fields,
    notes,
    oauth,
    segments,
    stats,
    tags,
    users,
)


class MauticServer(SandboxServer):
    """A Mautic with an admin, an OAuth2 client and no contacts.

    `version` is "4.4", "5.2.1" or "7.0.0", as the header says it: a Mautic before 5 updates the newest of several
    contacts with one e-mail where later ones refuse with 422, sends no e-mail to who does not want it, and names Turkey
    so; 7 finds nothing for a small "or", never moves dateModified, and has no rate limit (recordings/mautic-7.0.0).
    `context.batch_limit` is the most rows of a batch.
    """

    def __init__(
        self,
        port: int = 0,
        save_to: Path | None = None,
        *,
        version: str = "5.2.1",
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.version = version
        self.state = State(clock, int(version.split(".")[0]))
        super().__init__(self.state, port, save_to, ssl_context, host)
        self.credentials = Credentials()
        self.authentication = Authentication(self.state, self.faults, self.credentials)
        self.context = MauticContext(
            self.app, self.state, self.faults, self.authentication, version, url=lambda: self.url
        )
        first_users(self.state, self.credentials)
        self._register()

    def _register(self) -> None:
        for resource in RESOURCES:
            resource.register(self.context)
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(Refused, self._refused)
        self.app.register_error_handler(KernelError, error_answer)
        self.app.register_error_handler(HTTPException, self._unknown)

    @property
    def major(self) -> int:
        """Return the first number of the version."""
        return self.state.major

    def fault_answer(self, rule: Rule) -> Response:
        """Return what a `status` rule answers: as recorded for 500, as nginx for 502, 503 and 504."""
        status = int(rule.value)
        if status == 429:
            return error_answer(Refused(429, "You exceeded the rate limit of 1 API calls per hour."))
        if status in (502, 503, 504):
            return nginx_page(status)
        return error_answer(KernelError(status))

    @staticmethod
    def database_down() -> str:
        """Return the body of a 500 while the database is down, for `faults.status(500, body=…)`.

        Recorded as mautic:360 to mautic:362.
        """
        return error_answer(KernelError(500, OFFLINE)).get_data(as_text=True)

    def _enter(self) -> Response | None:
        if request.path.startswith("/_sandbox/"):
            return None
        if request.method == "OPTIONS":
            return Response(status=204, content_type="text/html; charset=UTF-8")  # mautic:072.
        self.authentication.check()
        return None

    def _leave(self, answer: Any) -> Any:
        answer.headers.update(g.get("limits", {}))
        return answer

    def _refused(self, error: Refused) -> Response:
        answer = error_answer(error)
        if error.status != 429:
            answer.headers["Mautic-Version"] = self.version
        return answer

    def _unknown(self, error: HTTPException) -> Response:
        if error.code == 500:
            return error_answer(KernelError(500))
        asked = request.query_string.decode()
        return error_answer(unknown_url(f"{request.path}?{asked}" if asked else request.path))
