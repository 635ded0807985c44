"""Batches of contacts, with the bugs of the real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.faults import Fault
from integration.sandbox.mautic import php
from integration.sandbox.mautic.answers import NOT_FOUND, Crash, Refused, dump, php_array
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.contacts import AREA, shown, upsert
from integration.sandbox.mautic.payload import row_of, rows
from integration.sandbox.mautic.render import EMPTIED
from integration.sandbox.mautic.writing import Mode
from integration.sandbox.server import note_rows

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer


def register(server: MauticServer) -> None:
    """Add the routes."""
    server.route("POST", "/api/contacts/batch/new", lambda: _new(server))
    for mode in (Mode.PATCH, Mode.PUT):
        server.route(mode.name, "/api/contacts/batch/edit", lambda mode=mode: _edit(server, mode))
    server.route("DELETE", "/api/contacts/batch/delete", lambda: _delete(server))


class Crasher:
    """Lets a batch die after so many rows, as `crash_after_rows` commands; the rows before it are kept."""

    def __init__(self, server: MauticServer) -> None:
        rule = server.faults.take(Fault.CRASH_AFTER_ROWS, request.method, request.path)
        self._left = int(rule.value) if rule else None

    def row(self) -> None:
        """Count a row that is about to be handled."""
        if self._left is None:
            return
        if self._left == 0:
            raise Crash
        self._left -= 1


@dataclass
class Result:
    """What a batch answers: rows as JSON text, status codes and errors, all by the key of the row."""

    noun: str
    written: dict[Any, str] = field(default_factory=dict)
    codes: dict[Any, int] = field(default_factory=dict)
    errors: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def refuse(self, key: Any, error: Refused) -> None:
        """Note a row that was refused."""
        self.errors[key] = error.as_row()
        self.codes[key] = error.status

    def body(self) -> str:
        """Return the JSON: lists where keys are 0, 1, 2 …, else objects; errors only if there are any (137-145)."""
        codes = php_array({key: str(code) for key, code in self.codes.items()})
        errors = php_array({key: dump(error) for key, error in self.errors.items()}) if self.errors else ""
        tail = f',"errors":{errors}' if errors else ""
        return f'{{"{self.noun}":{php_array(self.written)},"statusCodes":{codes}{tail}}}'


def batch_rows(server: MauticServer) -> dict[Any, Any]:
    """Return the rows that were sent; 500 for more than the limit (recordings 144, 167)."""
    sent = rows()
    note_rows(len(sent))
    if len(sent) > server.batch_limit:
        raise Refused(500, f"A max of {server.batch_limit} entities are supported at a time.")
    return sent


def _new(server: MauticServer) -> Response:
    sent = batch_rows(server)
    if not g.caller.may(AREA, "create"):
        g.caller.need(AREA, "create")  # The whole batch is refused (recording 348).
    crasher = Crasher(server)
    result = Result("contacts")
    for key, value in sent.items():
        crasher.row()
        row = row_of(value)
        try:
            written = upsert(server, row, g.caller, Mode.PATCH)
        except Refused as refused:
            result.refuse(key, refused)
            continue
        result.written[key] = shown(server, written)
        result.codes[key] = 201 if written.created else 200
    return server.reply(result.body(), 201)


@dataclass
class Held:
    """An entity of a batch edit: rows of one id share it, and it shows what the last of them left."""

    contact: Contact
    shown: dict[str, Any] = field(default_factory=dict)
    saved: bool = False
    created: bool = False


class Edit:
    """One batch edit."""

    def __init__(self, server: MauticServer, mode: Mode) -> None:
        self._server = server
        self._mode = mode
        self._result = Result("contacts")
        self._held: dict[Any, Held] = {}
        self._refused: set[Any] = set()

    def run(self, sent: dict[Any, Any]) -> str:
        """Write the rows and return the body."""
        crasher = Crasher(self._server)
        self._read(sent)
        for key, value in sent.items():
            crasher.row()
            row = row_of(value)
            self._server.work()
            with self._server.state.lock:
                self._row(key, row)
        return self._body()

    def _read(self, sent: dict[Any, Any]) -> None:
        """Put the entities to the rows: they close up over rows without id, so data goes astray (155, 156, 158)."""
        ids: dict[Any, int] = {}
        for key, value in sent.items():
            row = value if isinstance(value, dict) else {}
            if row.get("id") is None:
                self._result.errors[key] = {"message": "mautic.api.call.id_missing", "code": 400, "type": "api"}
            else:
                ids[key] = _number(row["id"])
        named = any(key != place for place, key in enumerate(sent))
        contacts = self._server.state.contacts
        entities = {number: Held(contacts[number]) for number in ids.values() if number in contacts}
        for key, number in ids.items() if named else enumerate(ids.values()):
            if number in entities:
                self._held[key] = entities[number]

    def _row(self, key: Any, row: dict[str, Any]) -> None:
        held = self._held.get(key)
        try:
            g.caller.need(AREA, "edit" if held else "create")
            if held is None:
                self._missing(key, row)
            else:
                self._write(held, row)
        except Refused as refused:
            self._refused.add(key)
            self._result.refuse(key, refused)
            return
        code = self._result.errors[key]["code"] if key in self._result.errors else self._code(key)
        self._result.codes[key] = code

    def _code(self, key: Any) -> int:
        return 201 if self._held[key].created else 200

    def _missing(self, key: Any, row: dict[str, Any]) -> None:
        if self._mode is Mode.PATCH:
            raise Refused(404, NOT_FOUND)
        draft = self._server.writer.prepare(row, None, self._mode)
        contact = self._server.writer.write(draft, g.caller)
        self._held[key] = Held(contact, draft.shown, saved=True, created=True)

    def _write(self, held: Held, row: dict[str, Any]) -> None:
        draft = self._server.writer.prepare(row, held.contact, self._mode)
        if not held.saved or self._server.major >= 7:  # One contact for both rows there (recordings 166, 366-369).
            held.contact = self._server.writer.write(draft, g.caller)
        elif held.contact.tags:
            raise Crash  # Recording 166.
        else:
            held.contact = self._server.writer.twin(draft, g.caller)  # Recordings 365, 368.
        emptied = {alias: value for alias, value in held.shown.items() if value is EMPTIED}
        held.saved, held.shown = True, {**draft.shown, **emptied}

    def _body(self) -> str:
        renderer = self._server.renderer
        with self._server.state.lock:
            for key, held in self._held.items():
                refused = key in self._refused and not held.saved
                text = renderer.contact(
                    held.contact, made=held.created, refused=refused, shown=held.shown, written=True
                )
                self._result.written[key] = text
        return self._result.body()


def _number(value: Any) -> int:
    said = php.text(value).strip()
    return int(said) if said.isdigit() else 0


def _edit(server: MauticServer, mode: Mode) -> Response:
    sent = batch_rows(server)
    g.caller.need(AREA, "edit")
    return server.reply(Edit(server, mode).run(sent))


def _delete(server: MauticServer) -> Response:
    """Delete what the query string names; ids in a body are ignored (recordings 168, 169)."""
    g.caller.need(AREA, "delete")
    numbers = [_number(each) for each in request.args.getlist("ids[]") or request.args.get("ids", "").split(",")]
    note_rows(len(numbers))
    state = server.state
    with state.lock:
        found = {place: state.contacts[number] for place, number in enumerate(numbers) if number in state.contacts}
        deleted = {place: server.renderer.contact(contact) for place, contact in found.items()}
        for contact in {contact.id: contact for contact in found.values()}.values():
            state.delete(contact)
    gone = [place for place, contact in found.items() if numbers.index(contact.id) < place]
    errors = {place: dump(Refused(404, NOT_FOUND).as_row()) for place in gone}  # The same id again (560).
    tail = f',"errors":{php_array(errors)}' if errors else ""
    return server.reply(f'{{"contacts":{php_array(deleted)}{tail}}}')
