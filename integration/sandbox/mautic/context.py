"""What every route works with: the state, the services over it, and the answers all routes give alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, request
from werkzeug.wrappers import Response

from integration.sandbox.background import checkpoint
from integration.sandbox.faults import Faults
from integration.sandbox.mautic.answers import NO_CONTACT, NOT_FOUND, Refused, json_answer
from integration.sandbox.mautic.authentication import Authentication
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.contact_json import Renderer
from integration.sandbox.mautic.contact_writer import Writer
from integration.sandbox.mautic.state import State

BATCH_ROWS_MAX = 200


@dataclass
class MauticContext:
    """One Mautic as its routes see it; `version` is what the header Mautic-Version says, `url` gives the address."""

    app: Flask
    state: State
    faults: Faults
    authentication: Authentication
    version: str
    url: Callable[[], str]
    batch_limit: int = BATCH_ROWS_MAX
    _endpoints: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.renderer = Renderer(self.state)
        self.writer = Writer(self.state, old=self.major < 5)

    @property
    def major(self) -> int:
        """Return the first number of the version."""
        return self.state.major

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
        """Return the contact or raise 404 (mautic:075, mautic:211)."""
        contact = self.state.contacts.get(number)
        if contact is None:
            raise Refused(404, message)
        return contact

    def other_contact(self, number: int) -> Contact:
        """Return a contact that is not the entity of the route: 404 says so in other words (mautic:234, mautic:317)."""
        return self.contact(number, NO_CONTACT)

    def row(self, table: dict[int, dict[str, Any]], number: int) -> dict[str, Any]:
        """Return a row of a table or raise 404 (mautic:231, mautic:272)."""
        if number not in table:
            raise Refused(404, NOT_FOUND)
        return table[number]

    def work(self, rows: int = 1) -> None:
        """Spend the time that `delay_per_record` asks for; work in the background may end here."""
        checkpoint()
        self.faults.work(request.method, request.path, rows)
