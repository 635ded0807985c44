"""Companies, as far as contacts need them (recordings 337-340)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php
from integration.sandbox.mautic.answers import dump
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.mautic.entities import projects
from integration.sandbox.mautic.lists import page
from integration.sandbox.mautic.payload import form
from integration.sandbox.mautic.state import State
from integration.sandbox.mautic.values import label_of

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer


def attach_by_name(state: State, contact: Contact, name: str) -> None:
    """Put a contact into the company of that name, making it if need be (recording 338)."""
    known = next((row for row in state.companies.values() if row["companyname"] == name), None)
    company = known or add_company(state, {"companyname": name})
    if company["id"] not in contact.companies:
        contact.companies.append(company["id"])


def add_company(state: State, values: dict[str, Any]) -> dict[str, Any]:
    """Add a company; `values` maps aliases of company fields to texts."""
    row = {"id": state.next_id("companies"), "added": php.sql(state.now()), **values}
    state.companies[row["id"]] = row
    state.changes += 1
    return row


def register(server: MauticServer) -> None:
    """Add the routes of companies."""
    server.route("GET", "/api/companies", lambda: _list(server))
    server.route("POST", "/api/companies/new", lambda: _new(server))
    server.route("GET", "/api/contacts/<int:contact_id>/companies", lambda contact_id: _of_contact(server, contact_id))
    path = "/api/companies/<int:company_id>/contact/<int:contact_id>/<any(add,remove):action>"
    server.route("POST", path, lambda **about: _move(server, **about))


def _list(server: MauticServer) -> Response:
    g.caller.need("lead:leads", "view")
    rows = [_company(server.state, row) for row in server.state.companies.values()]
    total, chosen = page(rows)
    return server.reply(dump({"total": str(total), "companies": {str(row["id"]): row for row in chosen}}))


def _new(server: MauticServer) -> Response:
    g.caller.need("lead:leads", "create")
    sent = form()
    state = server.state
    aliases = [row["alias"] for row in state.fields.values() if row["object"] == "company"]
    values = {alias: php.text(sent[alias]) for alias in aliases if sent.get(alias) not in (None, "")}
    known = next((row for row in state.companies.values() if row["companyname"] == values.get("companyname")), None)
    if known:
        known.update(values)
        return server.reply(dump({"company": _company(state, known)}))
    row = add_company(state, {"companyname": None, **values})
    return server.reply(dump({"company": _company(state, row)}), 201, f"/api/companies/{row['id']}")


def _company(state: State, row: dict[str, Any]) -> dict[str, Any]:
    groups: dict[str, Any] = {"core": {}, "professional": {}, "social": {}, "personal": {}}
    flat: dict[str, Any] = {"id": row["id"]}
    for about in sorted(state.fields.values(), key=lambda each: int(each["id"])):
        if about["object"] == "company":
            value = row.get(about["alias"])
            named = {name: about[name] for name in ("id", "group", "label", "alias", "type")}
            described = {**named, "value": value, "normalizedValue": label_of(about, value)}
            groups[about["group"]][about["alias"]] = described
            flat[about["alias"]] = value
    shown = {**{name: each or [] for name, each in groups.items()}, "all": flat}
    return {"id": row["id"], "score": 0, "fields": shown, **projects(state)}


def _of_contact(server: MauticServer, contact_id: int) -> Response:
    contact = server.contact(contact_id)
    rows = [
        _membership(server.state, server.state.companies[number], place)
        for place, number in enumerate(contact.companies)
    ]
    return server.reply(dump({"total": len(rows), "companies": rows}))


def _membership(state: State, row: dict[str, Any], place: int) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name.startswith("company") and value is not None}
    return {
        "company_id": str(row["id"]),
        "date_associated": row["added"],
        "is_primary": "0" if place else "1",
        "id": str(row["id"]),
        "is_published": "1",
        "date_added": row["added"],
        "created_by": "1",
        "created_by_user": "Admin User",
        **(_modified(row) if state.major >= 7 else {}),
        "social_cache": "a:0:{}",
        "score": "0",
        **values,
    }


def _modified(row: dict[str, Any]) -> dict[str, Any]:
    return {"date_modified": row["added"], "modified_by": "1", "modified_by_user": "Admin User"}


def _move(server: MauticServer, company_id: int, contact_id: int, action: str) -> Response:
    g.caller.need("lead:leads", "edit")
    server.row(server.state.companies, company_id)
    contact = server.contact(contact_id)
    contact.companies = [number for number in contact.companies if number != company_id]
    if action == "add":
        contact.companies.append(company_id)
    server.state.changes += 1
    return server.reply(dump({"success": 1}))
