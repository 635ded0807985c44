"""Notes of contacts, single and in batches (mautic:205-220)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import Crash, Invalid, Refused, dump
from integration.sandbox.mautic.batch_rows import Crasher, Result, batch_rows
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.field_values import NOT_VALID, in_words_of
from integration.sandbox.mautic.list_queries import named, page
from integration.sandbox.mautic.request_body import form, row_of
from integration.sandbox.server import note_rows

AREA = "lead:notes"  # No role can have it before 7.2, so only administrators pass.
TYPES = frozenset({"general", "email", "call", "meeting"})
EMPTY = "Note text cannot be empty"
NO_LEAD = "lead ID is mandatory"


def register(context: MauticContext) -> None:
    """Add the routes."""
    one = "/api/notes/<int:note_id>"
    context.route("GET", "/api/notes", lambda: _list(context))
    context.route("GET", one, lambda note_id: _get(context, note_id))
    context.route("POST", "/api/notes/new", lambda: _new(context))
    context.route("POST", "/api/notes/batch/new", lambda: _batch(context))
    context.route("PATCH", "/api/notes/batch/edit", lambda: _batch_edit(context))
    context.route("DELETE", "/api/notes/batch/delete", lambda: _batch_delete(context))
    for method in ("PATCH", "PUT"):
        context.route(method, f"{one}/edit", lambda note_id: _edit(context, note_id))
    context.route("DELETE", f"{one}/delete", lambda note_id: _delete(context, note_id))
    context.route("GET", "/api/contacts/<int:contact_id>/notes", lambda contact_id: _of_contact(context, contact_id))


def _add(context: MauticContext, row: dict[str, Any]) -> dict[str, Any]:
    if not row.get("lead"):
        raise Refused(400, NO_LEAD)  # mautic:210.
    contact = context.other_contact(int(php_format.text(row["lead"])))
    note = {"id": 0, "type": "general", "dateTime": None, "lead": contact.id, **_checked(row, {}, context.major)}
    note["id"] = context.state.next_id("notes")
    context.state.add_note(note)
    return note


def _checked(row: dict[str, Any], held: dict[str, Any], major: int) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    said = php_format.text(row.get("text", held.get("text")) or "")
    kind = row.get("type") or held.get("type", "general")
    if not said.strip():
        errors["text"] = [EMPTY]  # mautic:209.
    if kind not in TYPES:
        errors["type"] = [in_words_of(major, "select", NOT_VALID)]  # mautic:212.
    if errors:
        raise Invalid(errors)
    at = php_format.iso(_at(row["dateTime"])) if "dateTime" in row else held.get("dateTime")
    return {"text": said, "type": kind, "dateTime": at}


def _at(said: Any) -> datetime | None:
    """Return the time that was meant, without its seconds (mautic:541)."""
    read = php_format.moment(said)
    return read.replace(second=0) if read else None


def _shown(context: MauticContext, note: dict[str, Any], *, full: bool) -> str:
    contact = context.state.contacts[note["lead"]]
    bare = f'{{"id":{contact.id},"points":{contact.points},"color":null,"fields":[]}}'
    lead = context.renderer.lead(contact) if full else bare
    about = dump({name: note[name] for name in ("id", "text", "type", "dateTime")})
    return f'{about[:-1]},"lead":{lead}}}'


def _new(context: MauticContext) -> Response:
    g.caller.need(AREA, "create")
    row = form()
    context.work()
    with context.state.lock:
        note = _add(context, row)
        return context.reply(f'{{"note":{_shown(context, note, full=True)}}}', 201, f"/api/notes/{note['id']}")


def _batch(context: MauticContext) -> Response:
    sent = batch_rows(context)
    g.caller.need(AREA, "create")
    crasher = Crasher(context)
    result = Result("notes")
    for key, value in sent.items():
        crasher.row()
        row = row_of(value)
        context.work()
        with context.state.lock:
            _batch_row(context, key, row, result)
    return context.reply(result.body(), 201)


def _batch_row(context: MauticContext, key: Any, row: dict[str, Any], result: Result) -> None:
    try:
        note = _add(context, row)
    except Invalid as refused:
        result.refuse(key, refused)
    except Refused:
        raise Crash from None  # Rows before it are kept: mautic:214, mautic:216, mautic:217.
    else:
        result.written[key] = _shown(context, note, full=True)
        result.codes[key] = 201


def _batch_edit(context: MauticContext) -> Response:
    """Edit notes; unknown ids are refused one by one, Mautic 7 throws at them (mautic:547)."""
    sent = batch_rows(context)
    g.caller.need(AREA, "edit")
    result = Result("notes")
    for key, value in sent.items():
        row = row_of(value)
        context.work()
        with context.state.lock:
            _batch_edit_row(context, key, row, result)
    return context.reply(result.body())


def _batch_edit_row(context: MauticContext, key: Any, row: dict[str, Any], result: Result) -> None:
    try:
        note = context.row(context.state.notes, int(php_format.text(row.get("id") or 0)))
        note.update(_checked(row, note, context.major))
    except Refused as refused:
        if context.major >= 7 and refused.status == 404:
            raise Crash from None
        result.refuse(key, refused)
    else:
        context.state.changes += 1
        result.written[key] = _shown(context, note, full=False)
        result.codes[key] = 200


def _batch_delete(context: MauticContext) -> Response:
    g.caller.need(AREA, "delete")
    numbers = [int(each) for each in request.args.get("ids", "").split(",") if each.strip().isdigit()]
    note_rows(len(numbers))
    state = context.state
    with state.lock:
        if context.major >= 7 and not state.notes.keys() >= set(numbers):
            raise Crash
        found = [state.notes[number] for number in dict.fromkeys(numbers) if number in state.notes]
        shown = [_shown(context, note, full=False) for note in found]
        for note in found:
            state.delete_note(note)
    return context.reply(f'{{"notes":[{",".join(shown)}]}}')


def _get(context: MauticContext, note_id: int) -> Response:
    g.caller.need(AREA, "view")
    return context.reply(f'{{"note":{_shown(context, context.row(context.state.notes, note_id), full=False)}}}')


def _edit(context: MauticContext, note_id: int) -> Response:
    row = form()
    with context.state.lock:
        note = context.row(context.state.notes, note_id)
        g.caller.need(AREA, "edit")
        note.update(_checked(row, note, context.major))
        context.state.changes += 1
        return context.reply(f'{{"note":{_shown(context, note, full=False)}}}')


def _delete(context: MauticContext, note_id: int) -> Response:
    with context.state.lock:
        note = context.row(context.state.notes, note_id)
        g.caller.need(AREA, "delete")
        text = _shown(context, {**note, "id": None}, full=False)
        context.state.delete_note(note)
    return context.reply(f'{{"note":{text}}}')


def _list(context: MauticContext) -> Response:
    g.caller.need(AREA, "view")
    with context.state.lock:
        total, chosen = page(list(context.state.notes.values()), search=named)
        shown = ",".join(_shown(context, note, full=False) for note in chosen)
    return context.reply(f'{{"total":{total},"notes":[{shown}]}}')


def _of_contact(context: MauticContext, contact_id: int) -> Response:
    """Show a contact's notes without what is null: the newest make a page, in the order of ids (mautic:217)."""
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "view")
        total, chosen = page(context.state.notes_of(contact.id), "-id", named)
    chosen = (
        chosen if {"orderBy", "order[0][col]"} & set(request.args) else sorted(chosen, key=lambda note: int(note["id"]))
    )
    rows = [{**{name: value for name, value in note.items() if value is not None}, "lead": {}} for note in chosen]
    return context.reply(dump({"total": total, "notes": rows}))
