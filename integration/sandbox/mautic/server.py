"""The stand-in Mautic: a REST API on a socket that answers as the recordings of a real one do."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from integration.clock import Clock
from integration.sandbox.faults import Rule
from integration.sandbox.mautic import (
    activity,
    batches,
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
from integration.sandbox.mautic.answers import (
    NO_CONTACT,
    NOT_FOUND,
    OFFLINE,
    KernelError,
    Refused,
    error_answer,
    json_answer,
    unknown_url,
)
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.oauth import Gate
from integration.sandbox.mautic.people import Credentials, first_users
from integration.sandbox.mautic.render import Renderer
from integration.sandbox.mautic.state import State
from integration.sandbox.mautic.writing import Writer
from integration.sandbox.server import SandboxServer, nginx_page

PARTS = (activity, batches, companies, contacts, emails, fields, notes, oauth, segments, stats, tags, users)


class MauticServer(SandboxServer):
    """A Mautic with an admin, an OAuth2 client and no contacts.

    `version` is "4.4", "5.2.1" or "7.0.0", as the header says it: a Mautic before 5 updates the newest of several
    contacts with one e-mail where later ones refuse with 422, sends no e-mail to who does not want it, and names Turkey
    so; 7 finds nothing for a small "or", never moves dateModified, and has no rate limit (recordings/mautic-7.0.0).
    `batch_limit` is the most rows of a batch.
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
        self.major = int(version.split(".")[0])
        self.state = State(clock, self.major)
        super().__init__(self.state, port, save_to, ssl_context, host)
        self.batch_limit = 200
        self.credentials = Credentials()
        self.gate = Gate(self)
        self.renderer = Renderer(self.state)
        self.writer = Writer(self.state, old=self.major < 5)
        first_users(self.state, self.credentials)
        self._endpoints = itertools.count()
        self._wire_up()

    def _wire_up(self) -> None:
        for part in PARTS:
            part.register(self)
        self.app.before_request(self._enter)
        self.app.after_request(self._leave)
        self.app.register_error_handler(Refused, self._refused)
        self.app.register_error_handler(KernelError, error_answer)
        self.app.register_error_handler(HTTPException, self._unknown)

    def route(self, method: str, path: str, view: Callable[..., Response]) -> None:
        """Register a view; OPTIONS is answered before routing, HEAD comes with GET."""
        name = f"{method} {path} {next(self._endpoints)}"
        self.app.add_url_rule(path, name, view, methods=[method], provide_automatic_options=False)

    def reply(self, body: str, status: int = 200, location: str | None = None) -> Response:
        """Return a controller's answer: JSON with Mautic-Version."""
        headers = {"Mautic-Version": self.version}
        if location:
            headers["Location"] = location
        return json_answer(body, status, headers)

    def contact(self, number: int, message: str = NOT_FOUND) -> Contact:
        """Return the contact or raise 404 (recordings 075, 211)."""
        contact = self.state.contacts.get(number)
        if contact is None:
            raise Refused(404, message)
        return contact

    def other_contact(self, number: int) -> Contact:
        """Return a contact that is not the entity of the route: 404 says so in other words (234, 317)."""
        return self.contact(number, NO_CONTACT)

    def row(self, table: dict[int, dict[str, Any]], number: int) -> dict[str, Any]:
        """Return a row of a table or raise 404 (recordings 231, 272)."""
        if number not in table:
            raise Refused(404, NOT_FOUND)
        return table[number]

    def work(self, rows: int = 1) -> None:
        """Spend the time that `delay_per_record` asks for; work in the background may end here."""
        self.checkpoint()
        self.faults.work(request.method, request.path, rows)

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
        """Return the body of a 500 while the database is down, for `faults.status(500, body=…)` (360-362)."""
        return error_answer(KernelError(500, OFFLINE)).get_data(as_text=True)

    def _enter(self) -> Response | None:
        if request.path.startswith("/_sandbox/"):
            return None
        if request.method == "OPTIONS":
            return Response(status=204, content_type="text/html; charset=UTF-8")  # Recording 072.
        self.gate.check()
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
