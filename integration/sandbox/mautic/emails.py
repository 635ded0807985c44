"""E-mails: templates, and sending them to contacts (mautic:305-324)."""

from __future__ import annotations

import html
import itertools
import re
import uuid
from copy import deepcopy
from functools import partial
from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import Crash, Invalid, dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.entities import answer, deleted, listing, made, projects, touch
from integration.sandbox.mautic.field_definitions import data
from integration.sandbox.mautic.list_queries import query
from integration.sandbox.mautic.request_body import entries, form

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


def register(context: MauticContext) -> None:
    """Add the routes."""
    one = "/api/emails/<int:email_id>"
    context.route("GET", "/api/emails", lambda: _list(context))
    context.route("GET", one, lambda email_id: _get(context, email_id))
    context.route("POST", "/api/emails/new", lambda: _new(context))
    for method in ("PATCH", "PUT"):
        context.route(method, f"{one}/edit", lambda email_id: _edit(context, email_id))
    context.route("DELETE", f"{one}/delete", lambda email_id: _delete(context, email_id))
    context.route("POST", f"{one}/contact/<int:contact_id>/send", lambda **to: _send(context, **to))
    context.route("POST", f"{one}/send", lambda email_id: _broadcast(context, email_id))


def _list(context: MauticContext) -> Response:
    g.caller.need(AREA, "view")
    show = _briefly if str(query().get("minimal", "")) not in ("", "0", "false") else partial(_shown, context)
    return listing(context, "emails", list(context.state.emails.values()), "name", show)


def _briefly(row: dict[str, Any]) -> dict[str, Any]:
    return dict(itertools.takewhile(lambda pair: pair[0] != "fromAddress", row.items()))  # mautic:557.


def _get(context: MauticContext, email_id: int) -> Response:
    row = context.row(context.state.emails, email_id)
    g.caller.need(AREA, "view")
    return answer(context, "email", _shown(context, row))


def _shown(context: MauticContext, row: dict[str, Any]) -> dict[str, Any]:
    names = ["createdByUser", "modifiedByUser", "id", "name", "publicName", "alias", "description", "category"]
    known = [context.state.segments[number] for number in row["lists"] if number in context.state.segments]
    return {**row, "lists": [{name: each[name] for name in names} for each in known]}


def add_email(context: MauticContext, sent: dict[str, Any]) -> dict[str, Any]:
    """Add an e-mail; Invalid without name or subject, or a segment e-mail without segments (mautic:306, mautic:307,
    mautic:309).
    """
    errors: dict[str, list[str]] = {}
    for name in ("name", "subject"):
        if not php_format.text(sent.get(name) or "").strip():
            errors[name] = [f"A {name} is required."]
    lists = [int(each) for each in entries(sent.get("lists"))]
    if sent.get("emailType") == "list" and not any(number in context.state.segments for number in lists):
        errors["lists"] = [NO_LIST]
    if errors:
        raise Invalid(errors)
    row = {
        **made(context.state),
        "id": context.state.next_id("emails"),
        **deepcopy(data("new_email")),
        **projects(context.state),
    }
    row.update(dateModified=row["dateAdded"], lists=lists, emailType="template")
    _fill(row, sent)
    context.state.emails[row["id"]] = row
    context.state.changes += 1
    return row


def _fill(row: dict[str, Any], sent: dict[str, Any]) -> None:
    row.update({name: sent[name] for name in TEXTS if sent.get(name)})
    if "isPublished" in sent:
        row["isPublished"] = php_format.text(sent["isPublished"]) not in ("", "0")


def _new(context: MauticContext) -> Response:
    g.caller.need(AREA, "create")
    with context.state.lock:
        row = add_email(context, form())
    return answer(context, "email", _shown(context, row), f"/api/emails/{row['id']}")


def _edit(context: MauticContext, email_id: int) -> Response:
    row = context.row(context.state.emails, email_id)
    g.caller.need(AREA, "edit")
    _fill(row, form())
    row["revision"] += 1
    touch(context.state, row)
    return answer(context, "email", _shown(context, row))


def _delete(context: MauticContext, email_id: int) -> Response:
    row = context.row(context.state.emails, email_id)
    g.caller.need(AREA, "delete")
    del context.state.emails[email_id]
    return deleted(context, "email", _shown(context, row))


def _send(context: MauticContext, email_id: int, contact_id: int) -> Response:
    sent = form()
    context.work()
    with context.state.lock:
        row = context.row(context.state.emails, email_id)
        g.caller.need(AREA, "view")
        contact = context.other_contact(contact_id)
        if not contact.email:
            raise Crash  # mautic:322.
        if context.major < 5 and any(entry["channel"] == "email" for entry in contact.dnc):
            return context.reply(dump({"success": False, "failed": []}))  # Later ones send all the same (mautic:321).
        _deliver(context, row, contact, _tokens(context, sent))
    return context.reply(dump({"success": True}))


def _tokens(context: MauticContext, sent: dict[str, Any]) -> dict[str, str]:
    given = sent.get("tokens")
    pairs = given.items() if isinstance(given, dict) else ()
    tokens = {name if name.startswith("{") else f"{{{name}}}": php_format.text(value) for name, value in pairs}
    return tokens if context.major >= 5 else {name: html.escape(value) for name, value in tokens.items()}


def _deliver(context: MauticContext, row: dict[str, Any], contact: Contact, tokens: dict[str, str]) -> None:
    """Put the e-mail as the contact would read it into `state.sent`."""
    context.state.sent.append(
        {
            "id": context.state.next_id("sent"),
            "email_id": row["id"],
            "contact_id": contact.id,
            "address": contact.email,
            "sent_at": php_format.iso(context.state.now()),
            "subject": _filled(row["subject"], contact, tokens),
            "stored_subject": row["subject"],
            "html": _filled(row["customHtml"] or "", contact, tokens),
            "tokens": tokens,
            "hash": uuid.uuid4().hex[:22],
        }
    )
    row["sentCount"] += 1
    context.state.changes += 1


def _filled(text: str, contact: Contact, tokens: dict[str, str]) -> str:
    for name, value in tokens.items():
        text = text.replace(name, value)
    return CONTACT_FIELD.sub(lambda match: str(contact.values.get(match[1], "")), text)


def _broadcast(context: MauticContext, email_id: int) -> Response:
    """Send a segment e-mail to its segments, once per contact and sparing do-not-contact (mautic:320)."""
    with context.state.lock:
        row = context.row(context.state.emails, email_id)
        g.caller.need(AREA, "view")
        before = {each["contact_id"] for each in context.state.sent if each["email_id"] == email_id}
        members = {each.id: each for number in row["lists"] for each in context.state.members(number)}
        due = [each for each in members.values() if each.email and not each.dnc and each.id not in before]
        for contact in due:
            _deliver(context, row, contact, {})
    return context.reply(dump({"success": 1, "sentCount": len(due), "failedRecipients": 0}))
