"""The routes of single contacts and of lists of contacts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import g, request
from werkzeug.wrappers import Response

from integration.sandbox.faults import Fault
from integration.sandbox.mautic import php
from integration.sandbox.mautic.answers import NOT_FOUND, Refused, dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.finding import find
from integration.sandbox.mautic.lists import DEFAULT_LIMIT, query
from integration.sandbox.mautic.payload import form
from integration.sandbox.mautic.people import Caller
from integration.sandbox.mautic.writing import Draft, Mode

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer

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


def register(server: MauticServer) -> None:
    """Add the routes."""
    one = "/api/contacts/<int:contact_id>"
    server.route("GET", "/api/contacts", lambda: _list(server))
    server.route("POST", "/api/contacts/new", lambda: _new(server))
    server.route("GET", one, lambda contact_id: _get(server, contact_id))
    for mode in (Mode.PATCH, Mode.PUT):
        server.route(mode.name, f"{one}/edit", lambda contact_id, mode=mode: _edit(server, contact_id, mode))
    server.route("DELETE", f"{one}/delete", lambda contact_id: _delete(server, contact_id))
    server.route("POST", f"{one}/dnc/<channel>/add", lambda **about: _dnc_add(server, **about))
    server.route("POST", f"{one}/dnc/<channel>/remove", lambda **about: _dnc_remove(server, **about))
    server.route("POST", f"{one}/points/<action>/<int:delta>", lambda **about: _points(server, **about))
    server.route("POST", f"{one}/utm/add", lambda contact_id: _utm(server, contact_id))
    if server.major >= 7:
        server.route("GET", "/api/v2/contacts", lambda: _list_v2(server))
    server.route("GET", "/api/contacts/list/fields", lambda: _fields(server))
    server.route("GET", "/api/contacts/list/owners", lambda: _owners(server))


def upsert(server: MauticServer, row: dict[str, Any], caller: Caller, mode: Mode) -> Written:
    """Create the contact, or write to the one that has its e-mail.

    Look-up and insert are not one step: while a row is worked on, and with `race_seconds` longer, others may insert the
    same person, as in a real Mautic (recordings 175, 177, 187).
    """
    with server.state.lock:
        found = server.writer.match(row)
        caller.need(AREA, "edit" if found else "create")
        draft = server.writer.prepare(row, found, mode if found else Mode.NEW)
    server.work()
    rule = None if found else server.faults.take(Fault.RACE, request.method, request.path)
    if rule is not None:
        server.faults.hold(float(rule.value))
    with server.state.lock:
        return _write(server, draft, caller)


def _write(server: MauticServer, draft: Draft, caller: Caller) -> Written:
    return Written(server.writer.write(draft, caller), draft.contact is None, draft.shown)


def shown(server: MauticServer, written: Written) -> str:
    """Return a written contact as JSON."""
    return server.renderer.contact(written.contact, made=written.created, shown=written.shown, written=True)


def _answer(server: MauticServer, written: Written) -> Response:
    body = f'{{"contact":{shown(server, written)}}}'
    if not written.created:
        return server.reply(body)
    return server.reply(body, 201, f"/api/contacts/{written.contact.id}")


def _new(server: MauticServer) -> Response:
    return _answer(server, upsert(server, form(), g.caller, Mode.NEW))


def _edit(server: MauticServer, contact_id: int, mode: Mode) -> Response:
    row = form()
    server.work()
    with server.state.lock:
        contact = server.state.contacts.get(contact_id)
        if contact is None and mode is Mode.PATCH:
            raise Refused(404, NOT_FOUND)  # Recording 109.
        g.caller.need(AREA, "edit" if contact else "create")
        written = _write(server, server.writer.prepare(row, contact, mode), g.caller)
        return _answer(server, written if mode is Mode.PUT else _with_truths(server, written))


def _with_truths(server: MauticServer, written: Written) -> Written:
    """Show what is true as such, as the answer to PATCH does (recordings 459-461)."""
    kinds = {row["alias"] for row in server.state.lead_fields if row["type"] == "boolean"}
    truths = {alias: True for alias in kinds if written.contact.values.get(alias) is True}
    return written._replace(shown={**truths, **written.shown})


def _get(server: MauticServer, contact_id: int) -> Response:
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "view")
        return server.reply(f'{{"contact":{server.renderer.contact(contact)}}}')


def _delete(server: MauticServer, contact_id: int) -> Response:
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "delete")
        server.state.delete(contact)
        return server.reply(f'{{"contact":{server.renderer.contact(contact, deleted=True)}}}')


def _list(server: MauticServer) -> Response:
    g.caller.need(AREA, "view")
    asked = query()
    minimal = str(asked.get("minimal", "")) not in ("", "0", "false")
    with server.state.lock:
        total, found = find(server.state, asked)
        rows = ",".join(f'"{each.id}":{server.renderer.contact(each, minimal=minimal, listed=True)}' for each in found)
    return server.reply(f'{{"total":"{total}","contacts":{{{rows}}}}}')


def _list_v2(server: MauticServer) -> Response:
    """Return the first contacts as API Platform shows them: what is null is left out (recording 064)."""
    g.caller.need(AREA, "view")
    with server.state.lock:
        found = sorted(server.state.contacts.values(), key=lambda contact: contact.id)[:DEFAULT_LIMIT]
        body = dump([_shown_v2(server, contact) for contact in found])
    answer = Response(body, content_type="application/json; charset=utf-8")
    answer.headers["Link"] = (
        f'<{server.url}/api/v2/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'
    )
    return answer


def _shown_v2(server: MauticServer, contact: Contact) -> dict[str, Any]:
    names = ("firstname", "lastname", "company", "email", "zipcode")
    tags = {row["tag"]: f"/api/v2/tags/{row['id']}" for row in (server.state.tags[number] for number in contact.tags)}
    held: dict[str, Any] = {
        "id": contact.id,
        **{name: contact.values.get(name) for name in names},
        "points": contact.points,
        "owner": f"/api/v2/users/{contact.owner}" if contact.owner else None,
        "dateIdentified": php.iso(contact.identified),
        "lastActive": php.iso(contact.last_active),
        "tags": tags or [],
    }
    return {name: value for name, value in held.items() if value is not None}


def _dnc_add(server: MauticServer, contact_id: int, channel: str) -> Response:
    sent = form()
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "edit")
        reason = sent.get("reason", 3)
        if not php.text(reason).isdigit() or int(reason) == 0:
            raise Refused(
                400, "Invalid reason code given", ["Reason code needs to be an integer and higher than 0."]
            )  # Recording 196.
        comments, about = php.text(sent.get("comments") or ""), php.text(sent.get("channelId") or "")
        server.writer.add_dnc(contact, channel, int(reason), comments, int(about) if about.isdigit() else None)
        return server.reply(f'{{"contact":{server.renderer.plain(contact)}}}')


def _dnc_remove(server: MauticServer, contact_id: int, channel: str) -> Response:
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "edit")
        found = server.writer.remove_dnc(contact, channel)
        return server.reply(f'{{"recordFound":{dump(found)},"contact":{server.renderer.plain(contact)}}}')


def _points(server: MauticServer, contact_id: int, action: str, delta: int) -> Response:
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "edit")
        if action not in POINTS:
            raise Refused(400, "Invalid operator")  # Recording 335.
        contact.points += POINTS[action] * delta
        server.writer.stamp(contact, g.caller)
        server.state.changes += 1
    return server.reply(dump({"success": 1}))


def _utm(server: MauticServer, contact_id: int) -> Response:
    sent = form()
    with server.state.lock:
        contact = server.contact(contact_id)
        g.caller.need(AREA, "edit")
        tag = {name: php.text(sent[key]) for key, name in UTM.items() if sent.get(key)}
        contact.utm.append({"id": server.state.next_id("utm"), "query": [], **tag})
        server.writer.stamp(contact, g.caller)
        server.state.changes += 1
        return server.reply(f'{{"contact":{server.renderer.plain(contact)}}}')


def _fields(server: MauticServer) -> Response:
    g.caller.need(AREA, "view")
    rows = sorted(server.state.fields.values(), key=lambda row: (row["order"], row["id"]))
    names = ("id", "label", "alias", "type", "group", "order", "object", "properties")
    return server.reply(dump({str(row["id"]): _named(row, names) for row in rows}))


def _named(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Describe a field; properties are shown only where there are none (recording 098)."""
    return {name: row[name] for name in names if name != "properties" or not row[name]}


def _owners(server: MauticServer) -> Response:
    users = [row for row in server.state.users.values() if row["isPublished"]]
    names = ("id", "firstName", "lastName", *(("email",) if server.major >= 7 else ()))  # Recording 099.
    return server.reply(dump([{name: row[name] for name in names} for row in users]))
