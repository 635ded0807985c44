"""E-mails: templates, and sending them to contacts (recordings 305-324)."""

from __future__ import annotations

import html
import itertools
import re
import uuid
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php
from integration.sandbox.mautic.answers import Crash, Invalid, dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.definitions import data
from integration.sandbox.mautic.entities import answer, deleted, listing, made, projects, touch
from integration.sandbox.mautic.lists import query
from integration.sandbox.mautic.payload import entries, form

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer

AREA = "email:emails"
NO_LIST = "Either no list was selected or you do not have access to one of the lists that was selected."
TEXTS = (
    "name",
    "subject",
    "emailType",
    "customHtml",
    "plainText",
    "language",
    "fromAddress",
    "fromName",
    "template",
    "description",
)
CONTACT_FIELD = re.compile(r"\{contactfield=(\w+)(?:\|[^}]*)?\}")


def register(server: MauticServer) -> None:
    """Add the routes."""
    one = "/api/emails/<int:email_id>"
    server.route("GET", "/api/emails", lambda: _list(server))
    server.route("GET", one, lambda email_id: _get(server, email_id))
    server.route("POST", "/api/emails/new", lambda: _new(server))
    for method in ("PATCH", "PUT"):
        server.route(method, f"{one}/edit", lambda email_id: _edit(server, email_id))
    server.route("DELETE", f"{one}/delete", lambda email_id: _delete(server, email_id))
    server.route("POST", f"{one}/contact/<int:contact_id>/send", lambda **to: _send(server, **to))
    server.route("POST", f"{one}/send", lambda email_id: _broadcast(server, email_id))


def _list(server: MauticServer) -> Response:
    g.caller.need(AREA, "view")
    show = _briefly if str(query().get("minimal", "")) not in ("", "0", "false") else partial(_shown, server)
    return listing(server, "emails", list(server.state.emails.values()), "name", show)


def _briefly(row: dict[str, Any]) -> dict[str, Any]:
    return dict(itertools.takewhile(lambda pair: pair[0] != "fromAddress", row.items()))  # Recording 557.


def _get(server: MauticServer, email_id: int) -> Response:
    row = server.row(server.state.emails, email_id)
    g.caller.need(AREA, "view")
    return answer(server, "email", _shown(server, row))


def _shown(server: MauticServer, row: dict[str, Any]) -> dict[str, Any]:
    names = ["createdByUser", "modifiedByUser", "id", "name", "publicName", "alias", "description", "category"]
    known = [server.state.segments[number] for number in row["lists"] if number in server.state.segments]
    return {**row, "lists": [{name: each[name] for name in names} for each in known]}


def add_email(server: MauticServer, sent: dict[str, Any]) -> dict[str, Any]:
    """Add an e-mail; Invalid without name or subject, or a segment e-mail without segments (306, 307, 309)."""
    errors: dict[str, list[str]] = {}
    for name in ("name", "subject"):
        if not php.text(sent.get(name) or "").strip():
            errors[name] = [f"A {name} is required."]
    lists = [int(each) for each in entries(sent.get("lists"))]
    if sent.get("emailType") == "list" and not any(number in server.state.segments for number in lists):
        errors["lists"] = [NO_LIST]
    if errors:
        raise Invalid(errors)
    row = {
        **made(server.state),
        "id": server.state.next_id("emails"),
        **deepcopy(data("new_email")),
        **projects(server.state),
    }
    row.update(dateModified=row["dateAdded"], lists=lists, emailType="template")
    _fill(row, sent)
    server.state.emails[row["id"]] = row
    server.state.changes += 1
    return row


def _fill(row: dict[str, Any], sent: dict[str, Any]) -> None:
    row.update({name: sent[name] for name in TEXTS if sent.get(name)})
    if "isPublished" in sent:
        row["isPublished"] = php.text(sent["isPublished"]) not in ("", "0")


def _new(server: MauticServer) -> Response:
    g.caller.need(AREA, "create")
    with server.state.lock:
        row = add_email(server, form())
    return answer(server, "email", _shown(server, row), f"/api/emails/{row['id']}")


def _edit(server: MauticServer, email_id: int) -> Response:
    row = server.row(server.state.emails, email_id)
    g.caller.need(AREA, "edit")
    _fill(row, form())
    row["revision"] += 1
    touch(server.state, row)
    return answer(server, "email", _shown(server, row))


def _delete(server: MauticServer, email_id: int) -> Response:
    row = server.row(server.state.emails, email_id)
    g.caller.need(AREA, "delete")
    del server.state.emails[email_id]
    return deleted(server, "email", _shown(server, row))


def _send(server: MauticServer, email_id: int, contact_id: int) -> Response:
    sent = form()
    server.work()
    with server.state.lock:
        row = server.row(server.state.emails, email_id)
        g.caller.need(AREA, "view")
        contact = server.other_contact(contact_id)
        if not contact.email:
            raise Crash  # Recording 322.
        if server.major < 5 and any(entry["channel"] == "email" for entry in contact.dnc):
            return server.reply(dump({"success": False, "failed": []}))  # Later ones send all the same (321).
        _deliver(server, row, contact, _tokens(server, sent))
    return server.reply(dump({"success": True}))


def _tokens(server: MauticServer, sent: dict[str, Any]) -> dict[str, str]:
    given = sent.get("tokens")
    pairs = given.items() if isinstance(given, dict) else ()
    tokens = {name if name.startswith("{") else f"{{{name}}}": php.text(value) for name, value in pairs}
    return tokens if server.major >= 5 else {name: html.escape(value) for name, value in tokens.items()}


def _deliver(server: MauticServer, row: dict[str, Any], contact: Contact, tokens: dict[str, str]) -> None:
    """Put the e-mail as the contact would read it into `state.sent`."""
    server.state.sent.append(
        {
            "id": server.state.next_id("sent"),
            "email_id": row["id"],
            "contact_id": contact.id,
            "address": contact.email,
            "sent_at": php.iso(server.state.now()),
            "subject": _filled(row["subject"], contact, tokens),
            "stored_subject": row["subject"],
            "html": _filled(row["customHtml"] or "", contact, tokens),
            "tokens": tokens,
            "hash": uuid.uuid4().hex[:22],
        }
    )
    row["sentCount"] += 1
    server.state.changes += 1


def _filled(text: str, contact: Contact, tokens: dict[str, str]) -> str:
    for name, value in tokens.items():
        text = text.replace(name, value)
    return CONTACT_FIELD.sub(lambda match: str(contact.values.get(match[1], "")), text)


def _broadcast(server: MauticServer, email_id: int) -> Response:
    """Send a segment e-mail to its segments, once per contact and sparing do-not-contact (recording 320)."""
    with server.state.lock:
        row = server.row(server.state.emails, email_id)
        g.caller.need(AREA, "view")
        before = {each["contact_id"] for each in server.state.sent if each["email_id"] == email_id}
        members = {each.id: each for number in row["lists"] for each in server.state.members(number)}
        due = [each for each in members.values() if each.email and not each.dnc and each.id not in before]
        for contact in due:
            _deliver(server, row, contact, {})
    return server.reply(dump({"success": 1, "sentCount": len(due), "failedRecipients": 0}))
