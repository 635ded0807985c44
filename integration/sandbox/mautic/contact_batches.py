"""Batches of contacts, with the bugs of the real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import NOT_FOUND, Crash, Refused, dump, php_array
from integration.sandbox.mautic.batch_rows import Crasher, Result, batch_rows
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.contact_draft import Mode
from integration.sandbox.mautic.contact_json import EMPTIED
from integration.sandbox.mautic.contacts import AREA, shown, upsert
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.request_body import row_of
from integration.sandbox.server import note_rows


def register(context: MauticContext) -> None:
    """Add the routes."""
    context.route("POST", "/api/contacts/batch/new", lambda: _new(context))
    for mode in (Mode.PATCH, Mode.PUT):
        context.route(mode.name, "/api/contacts/batch/edit", lambda mode=mode: _edit(context, mode))
    context.route("DELETE", "/api/contacts/batch/delete", lambda: _delete(context))


def _new(context: MauticContext) -> Response:
    sent = batch_rows(context)
    if not g.caller.may(AREA, "create"):
        g.caller.need(AREA, "create")  # The whole batch is refused (mautic:348).
    crasher = Crasher(context)
    result = Result("contacts")
    for key, value in sent.items():
        crasher.row()
        row = row_of(value)
        try:
            written = upsert(context, row, g.caller, Mode.PATCH)
        except Refused as refused:
            result.refuse(key, refused)
            continue
        result.written[key] = shown(context, written)
        result.codes[key] = 201 if written.created else 200
    return context.reply(result.body(), 201)


@dataclass
class Held:
    """An entity of a batch edit: rows of one id share it, and it shows what the last of them left."""

    contact: Contact
    shown: dict[str, Any] = field(default_factory=dict)
    saved: bool = False
    created: bool = False


class Edit:
    """One batch edit."""

    def __init__(self, context: MauticContext, mode: Mode) -> None:
        self._context = context
        self._mode = mode
        self._result = Result("contacts")
        self._held: dict[Any, Held] = {}
        self._refused: set[Any] = set()

    def run(self, sent: dict[Any, Any]) -> str:
        """Write the rows and return the body."""
        crasher = Crasher(self._context)
        self._read(sent)
        for key, value in sent.items():
            crasher.row()
            row = row_of(value)
            self._context.work()
            with self._context.state.lock:
                self._row(key, row)
        return self._body()

    def _read(self, sent: dict[Any, Any]) -> None:
        """Put the entities to the rows: they close up over rows without id, so data goes astray (mautic:155,
        mautic:156, mautic:158).
        """
        ids: dict[Any, int] = {}
        for key, value in sent.items():
            row = value if isinstance(value, dict) else {}
            if row.get("id") is None:
                self._result.errors[key] = {"message": "mautic.api.call.id_missing", "code": 400, "type": "api"}
            else:
                ids[key] = _number(row["id"])
        named = any(key != place for place, key in enumerate(sent))
        contacts = self._context.state.contacts
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
        draft = self._context.writer.prepare(row, None, self._mode)
        contact = self._context.writer.write(draft, g.caller)
        self._held[key] = Held(contact, draft.shown, saved=True, created=True)

    def _write(self, held: Held, row: dict[str, Any]) -> None:
        draft = self._context.writer.prepare(row, held.contact, self._mode)
        if not held.saved or self._context.major >= 7:  # One contact for both rows there (mautic:166, mautic:366-369).
            held.contact = self._context.writer.write(draft, g.caller)
        elif held.contact.tags:
            raise Crash  # mautic:166.
        else:
            held.contact = self._context.writer.twin(draft, g.caller)  # mautic:365, mautic:368.
        emptied = {alias: value for alias, value in held.shown.items() if value is EMPTIED}
        held.saved, held.shown = True, {**draft.shown, **emptied}

    def _body(self) -> str:
        renderer = self._context.renderer
        with self._context.state.lock:
            for key, held in self._held.items():
                refused = key in self._refused and not held.saved
                text = renderer.contact(
                    held.contact, made=held.created, refused=refused, shown=held.shown, written=True
                )
                self._result.written[key] = text
        return self._result.body()


def _number(value: Any) -> int:
    said = php_format.text(value).strip()
    return int(said) if said.isdigit() else 0


def _edit(context: MauticContext, mode: Mode) -> Response:
    sent = batch_rows(context)
    g.caller.need(AREA, "edit")
    return context.reply(Edit(context, mode).run(sent))


def _delete(context: MauticContext) -> Response:
    """Delete what the query string names; ids in a body are ignored (mautic:168, mautic:169)."""
    g.caller.need(AREA, "delete")
    numbers = [_number(each) for each in request.args.getlist("ids[]") or request.args.get("ids", "").split(",")]
    note_rows(len(numbers))
    state = context.state
    with state.lock:
        found = {place: state.contacts[number] for place, number in enumerate(numbers) if number in state.contacts}
        deleted = {place: context.renderer.contact(contact) for place, contact in found.items()}
        for contact in {contact.id: contact for contact in found.values()}.values():
            state.delete(contact)
    gone = [place for place, contact in found.items() if numbers.index(contact.id) < place]
    errors = {place: dump(Refused(404, NOT_FOUND).as_row()) for place in gone}  # The same id again (560).
    tail = f',"errors":{php_array(errors)}' if errors else ""
    return context.reply(f'{{"contacts":{php_array(deleted)}{tail}}}')
