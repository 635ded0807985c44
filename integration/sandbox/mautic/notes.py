"""Notes of contacts, single and in batches (recordings 205-220)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php
from integration.sandbox.mautic.answers import Crash, Invalid, Refused, dump
from integration.sandbox.mautic.batches import Crasher, Result, batch_rows
from integration.sandbox.mautic.lists import named, page
from integration.sandbox.mautic.payload import form, row_of
from integration.sandbox.mautic.values import NOT_VALID, in_words_of
from integration.sandbox.server import note_rows

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer

AREA = "lead:notes"  # No role can have it before 7.2, so only administrators pass.
TYPES = frozenset({"general", "email", "call", "meeting"})
EMPTY = "Note text cannot be empty"
NO_LEAD = "lead ID is mandatory"


def register(server: MauticServer) -> None:
    """Add the routes."""
    one = "/api/notes/<int:note_id>"
    server.route("GET", "/api/notes", lambda: _list(server))
    server.route("GET", one, lambda note_id: _get(server, note_id))
    server.route("POST", "/api/notes/new", lambda: _new(server))
    server.route("POST", "/api/notes/batch/new", lambda: _batch(server))
    server.route("PATCH", "/api/notes/batch/edit", lambda: _batch_edit(server))
    server.route("DELETE", "/api/notes/batch/delete", lambda: _batch_delete(server))
    for method in ("PATCH", "PUT"):
        server.route(method, f"{one}/edit", lambda note_id: _edit(server, note_id))
    server.route("DELETE", f"{one}/delete", lambda note_id: _delete(server, note_id))
    server.route("GET", "/api/contacts/<int:contact_id>/notes", lambda contact_id: _of_contact(server, contact_id))


def _add(server: MauticServer, row: dict[str, Any]) -> dict[str, Any]:
    if not row.get("lead"):
        raise Refused(400, NO_LEAD)  # Recording 210.
    contact = server.other_contact(int(php.text(row["lead"])))
    note = {"id": 0, "type": "general", "dateTime": None, "lead": contact.id, **_checked(row, {}, server.major)}
    note["id"] = server.state.next_id("notes")
    server.state.add_note(note)
    return note


def _checked(row: dict[str, Any], held: dict[str, Any], major: int) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    said = php.text(row.get("text", held.get("text")) or "")
    kind = row.get("type") or held.get("type", "general")
    if not said.strip():
        errors["text"] = [EMPTY]  # Recording 209.
    if kind not in TYPES:
        errors["type"] = [in_words_of(major, "select", NOT_VALID)]  # Recording 212.
    if errors:
        raise Invalid(errors)
    at = php.iso(_at(row["dateTime"])) if "dateTime" in row else held.get("dateTime")
    return {"text": said, "type": kind, "dateTime": at}


def _at(said: Any) -> datetime | None:
    """Return the time that was meant, without its seconds (recording 541)."""
    read = php.moment(said)
    return read.replace(second=0) if read else None


def _shown(server: MauticServer, note: dict[str, Any], *, full: bool) -> str:
    contact = server.state.contacts[note["lead"]]
    bare = f'{{"id":{contact.id},"points":{contact.points},"color":null,"fields":[]}}'
    lead = server.renderer.lead(contact) if full else bare
    about = dump({name: note[name] for name in ("id", "text", "type", "dateTime")})
    return f'{about[:-1]},"lead":{lead}}}'


def _new(server: MauticServer) -> Response:
    g.caller.need(AREA, "create")
    row = form()
    server.work()
    with server.state.lock:
        note = _add(server, row)
        return server.reply(f'{{"note":{_shown(server, note, full=True)}}}', 201, f"/api/notes/{note['id']}")


def _batch(server: MauticServer) -> Response:
    sent = batch_rows(server)
    g.caller.need(AREA, "create")
    crasher = Crasher(server)
    result = Result("notes")
    for key, value in sent.items():
        crasher.row()
        row = row_of(value)
        server.work()
        with server.state.lock:
            _batch_row(server, key, row, result)
    return server.reply(result.body(), 201)


def _batch_row(server: MauticServer, key: Any, row: dict[str, Any], result: Result) -> None:
    try:
        note = _add(server, row)
    except Invalid as refused:
        result.refuse(key, refused)
    except Refused:
        raise Crash from None  # Rows before it are kept: recordings 214, 216, 217.
    else:
        result.written[key] = _shown(server, note, full=True)
        result.codes[key] = 201


def _batch_edit(server: MauticServer) -> Response:
    """Edit notes; unknown ids are refused one by one, Mautic 7 throws at them (recording 547)."""
    sent = batch_rows(server)
    g.caller.need(AREA, "edit")
    result = Result("notes")
    for key, value in sent.items():
        row = row_of(value)
        server.work()
        with server.state.lock:
            _batch_edit_row(server, key, row, result)
    return server.reply(result.body())


def _batch_edit_row(server: MauticServer, key: Any, row: dict[str, Any], result: Result) -> None:
    try:
        note = server.row(server.state.notes, int(php.text(row.get("id") or 0)))
        note.update(_checked(row, note, server.major))
    except Refused as refused:
        if server.major >= 7 and refused.status == 404:
            raise Crash from None
        result.refuse(key, refused)
    else:
        server.state.changes += 1
        result.written[key] = _shown(server, note, full=False)
        result.codes[key] = 200


def _batch_delete(server: MauticServer) -> Response:
    g.caller.need(AREA, "delete")
    numbers = [int(each) for each in request.args.get("ids", "").split(",") if each.strip().isdigit()]
    note_rows(len(numbers))
    state = server.state
    with state.lock:
        if server.major >= 7 and not state.notes.keys() >= set(numbers):
            raise Crash
        found = [state.notes[number] for number in dict.fromkeys(numbers) if number in state.notes]
        shown = [_shown(server, note, full=False) for note in found]
        for note in found:
            state.delete_note(note)
    return server.reply(f'{{"notes":[{",".join(shown)}]}}')


def _get(server: MauticServer, note_id: int) -> Response:
    g.caller.need(AREA, "view")
    return server.reply(f'{{"note":{_shown(server, server.row(server.state.notes, note_id), full=False)}}}')


def _edit(server: MauticServer, note_id: int) -> Response:
    row = form()
    with server.state.lock:
        note = server.row(server.state.notes, note_id)
        g.caller.need(AREA, "edit")
        note.update(_checked(row, note, server.major))
        server.state.changes += 1
        return server.reply(f'{{"note":{_shown(server, note, full=False)}}}')


def _delete(server: MauticServer, note_id: int) -> Response:
    with server.state.lock:
        note = server.row(server.state.notes, note_id)
        g.caller.need(AREA, "delete")
        text = _shown(server, {**note, "id": None}, full=False)
        server.state.delete_note(note)
    return server.reply(f'{{"note":{text}}}')


def _list(server: MauticServer) -> Response:
    g.caller.need(AREA, "view")
    with server.state.lock:
        total, chosen = page(list(server.state.notes.values()), search=named)
        shown = ",".join(_shown(server, note, full=False) for note in chosen)
    return server.reply(f'{{"total":{total},"notes":[{shown}]}}')


def _of_contact(server: MauticServer, contact_id: int) -> Response:
    """Show a contact's notes without what is null: the newest make a page, in the order of ids (recording 217)."""
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "view")
        total, chosen = page(server.state.notes_of(contact.id), "-id", named)
    chosen = (
        chosen if {"orderBy", "order[0][col]"} & set(request.args) else sorted(chosen, key=lambda note: int(note["id"]))
    )
    rows = [{**{name: value for name, value in note.items() if value is not None}, "lead": {}} for note in chosen]
    return server.reply(dump({"total": total, "notes": rows}))
