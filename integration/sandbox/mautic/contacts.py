"""The routes of single contacts and of lists of contacts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.faults import Fault
from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import NOT_FOUND, Refused, dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.contact_draft import Draft, Mode
from integration.sandbox.mautic.contact_search import find
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.list_queries import DEFAULT_LIMIT, query
from integration.sandbox.mautic.request_body import entries, form
from integration.sandbox.mautic.user_accounts import Caller

AREA = "lead:leads"
POINTS = {"plus": 1, "minus": -1}
UTM = {
    "referer": "referer",
    "remotehost": "remoteHost",
    "url": "url",
    "useragent": "userAgent",
    "utm_campaign": "utmCampaign",
    "utm_content": "utmContent",
    "utm_medium": "utmMedium",
    "utm_source": "utmSource",
    "utm_term": "utmTerm",
}


class Written(NamedTuple):
    """A contact that was written: whether it is new, and what the answer shows otherwise than is stored."""

    contact: Contact
    created: bool
    shown: dict[str, Any]


def register(context: MauticContext) -> None:
    """Add the routes."""
    one = "/api/contacts/<int:contact_id>"
    context.route("GET", "/api/contacts", lambda: _list(context))
    context.route("POST", "/api/contacts/new", lambda: _new(context))
    context.route("GET", one, lambda contact_id: _get(context, contact_id))
    for mode in (Mode.PATCH, Mode.PUT):
        context.route(mode.name, f"{one}/edit", lambda contact_id, mode=mode: _edit(context, contact_id, mode))
    context.route("DELETE", f"{one}/delete", lambda contact_id: _delete(context, contact_id))
    context.route("POST", f"{one}/dnc/<channel>/add", lambda **about: _dnc_add(context, **about))
    context.route("POST", f"{one}/dnc/<channel>/remove", lambda **about: _dnc_remove(context, **about))
    context.route("POST", f"{one}/points/<action>/<int:delta>", lambda **about: _points(context, **about))
    context.route("POST", f"{one}/utm/add", lambda contact_id: _utm(context, contact_id))
    if context.major >= 7:
        context.route("GET", "/api/v2/contacts", lambda: _list_v2(context))
    context.route("GET", "/api/contacts/list/fields", lambda: _fields(context))
    context.route("GET", "/api/contacts/list/owners", lambda: _owners(context))


def upsert(context: MauticContext, row: dict[str, Any], caller: Caller, mode: Mode) -> Written:
    """Create the contact, or write to the one that has its e-mail.

    Look-up and insert are not one step: while a row is worked on, and with `race_seconds` longer, others may insert the
    same person, as in a real Mautic (mautic:175, mautic:177, mautic:187).
    """
    with context.state.lock:
        found = context.writer.match(row)
        caller.need(AREA, "edit" if found else "create")
        draft = context.writer.prepare(row, found, mode if found else Mode.NEW)
    context.work()
    rule = None if found else context.faults.take(Fault.RACE, request.method, request.path)
    if rule is not None:
        context.faults.hold(float(rule.value))
    with context.state.lock:
        return _write(context, draft, caller)


def _write(context: MauticContext, draft: Draft, caller: Caller) -> Written:
    return Written(context.writer.write(draft, caller), draft.contact is None, draft.shown)


def shown(context: MauticContext, written: Written) -> str:
    """Return a written contact as JSON."""
    return context.renderer.contact(written.contact, made=written.created, shown=written.shown, written=True)


def _answer(context: MauticContext, written: Written) -> Response:
    body = f'{{"contact":{shown(context, written)}}}'
    if not written.created:
        return context.reply(body)
    return context.reply(body, 201, f"/api/contacts/{written.contact.id}")


def _new(context: MauticContext) -> Response:
    return _answer(context, upsert(context, form(), g.caller, Mode.NEW))


def _edit(context: MauticContext, contact_id: int, mode: Mode) -> Response:
    row = form()
    context.work()
    with context.state.lock:
        contact = context.state.contacts.get(contact_id)
        if contact is None and mode is Mode.PATCH:
            raise Refused(404, NOT_FOUND)  # mautic:109.
        g.caller.need(AREA, "edit" if contact else "create")
        written = _write(context, context.writer.prepare(row, contact, mode), g.caller)
        return _answer(context, written if mode is Mode.PUT else _with_truths(context, written))


def _with_truths(context: MauticContext, written: Written) -> Written:
    """Show what is true as such, as the answer to PATCH does (mautic:459-461)."""
    kinds = {row["alias"] for row in context.state.lead_fields if row["type"] == "boolean"}
    truths = {alias: True for alias in kinds if written.contact.values.get(alias) is True}
    return written._replace(shown={**truths, **written.shown})


def _get(context: MauticContext, contact_id: int) -> Response:
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "view")
        return context.reply(f'{{"contact":{context.renderer.contact(contact)}}}')


def _delete(context: MauticContext, contact_id: int) -> Response:
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "delete")
        context.state.delete(contact)
        return context.reply(f'{{"contact":{context.renderer.contact(contact, deleted=True)}}}')


def _list(context: MauticContext) -> Response:
    g.caller.need(AREA, "view")
    asked = query()
    with context.state.lock:
        total, found = find(context.state, asked)
        rows = ",".join(f'"{each.id}":{_listed(context, each, asked)}' for each in found)
    return context.reply(f'{{"total":"{total}","contacts":{{{rows}}}}}')


def _listed(context: MauticContext, contact: Contact, asked: dict[str, Any]) -> str:
    if names := entries(asked.get("select")):
        return context.renderer.selected(contact, names)
    minimal = str(asked.get("minimal", "")) not in ("", "0", "false")
    return context.renderer.contact(contact, minimal=minimal, listed=True)


def _list_v2(context: MauticContext) -> Response:
    """Return the first contacts as API Platform shows them: what is null is left out (mautic:064)."""
    g.caller.need(AREA, "view")
    with context.state.lock:
        found = sorted(context.state.contacts.values(), key=lambda contact: contact.id)[:DEFAULT_LIMIT]
        body = dump([_shown_v2(context, contact) for contact in found])
    answer = Response(body, content_type="application/json; charset=utf-8")
    answer.headers["Link"] = (
        f'<{context.url()}/api/v2/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'
    )
    return answer


def _shown_v2(context: MauticContext, contact: Contact) -> dict[str, Any]:
    names = ("firstname", "lastname", "company", "email", "zipcode")
    tags = {row["tag"]: f"/api/v2/tags/{row['id']}" for row in (context.state.tags[number] for number in contact.tags)}
    held: dict[str, Any] = {
        "id": contact.id,
        **{name: contact.values.get(name) for name in names},
        "points": contact.points,
        "owner": f"/api/v2/users/{contact.owner}" if contact.owner else None,
        "dateIdentified": php_format.iso(contact.identified),
        "lastActive": php_format.iso(contact.last_active),
        "tags": tags or [],
    }
    return {name: value for name, value in held.items() if value is not None}


def _dnc_add(context: MauticContext, contact_id: int, channel: str) -> Response:
    sent = form()
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "edit")
        reason = sent.get("reason", 3)
        if not php_format.text(reason).isdigit() or int(reason) == 0:
            raise Refused(
                400, "Invalid reason code given", ["Reason code needs to be an integer and higher than 0."]
            )  # mautic:196.
        comments, about = php_format.text(sent.get("comments") or ""), php_format.text(sent.get("channelId") or "")
        context.writer.add_dnc(contact, channel, int(reason), comments, int(about) if about.isdigit() else None)
        return context.reply(f'{{"contact":{context.renderer.plain(contact)}}}')


def _dnc_remove(context: MauticContext, contact_id: int, channel: str) -> Response:
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "edit")
        found = context.writer.remove_dnc(contact, channel)
        return context.reply(f'{{"recordFound":{dump(found)},"contact":{context.renderer.plain(contact)}}}')


def _points(context: MauticContext, contact_id: int, action: str, delta: int) -> Response:
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "edit")
        if action not in POINTS:
            raise Refused(400, "Invalid operator")  # mautic:335.
        contact.points += POINTS[action] * delta
        context.writer.stamp(contact, g.caller)
        context.state.changes += 1
    return context.reply(dump({"success": 1}))


def _utm(context: MauticContext, contact_id: int) -> Response:
    sent = form()
    with context.state.lock:
        contact = context.contact(contact_id)
        g.caller.need(AREA, "edit")
        tag = {name: php_format.text(sent[key]) for key, name in UTM.items() if sent.get(key)}
        contact.utm.append({"id": context.state.next_id("utm"), "query": [], **tag})
        context.writer.stamp(contact, g.caller)
        context.state.changes += 1
        return context.reply(f'{{"contact":{context.renderer.plain(contact)}}}')


def _fields(context: MauticContext) -> Response:
    g.caller.need(AREA, "view")
    rows = sorted(context.state.fields.values(), key=lambda row: (row["order"], row["id"]))
    names = ("id", "label", "alias", "type", "group", "order", "object", "properties")
    return context.reply(dump({str(row["id"]): _named(row, names) for row in rows}))


def _named(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Describe a field; properties are shown only where there are none (mautic:098)."""
    return {name: row[name] for name in names if name != "properties" or not row[name]}


def _owners(context: MauticContext) -> Response:
    users = [row for row in context.state.users.values() if row["isPublished"]]
    names = ("id", "firstName", "lastName", *(("email",) if context.major >= 7 else ()))  # mautic:099.
    return context.reply(dump([{name: row[name] for name in names} for row in users]))
