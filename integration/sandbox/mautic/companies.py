"""The routes of companies, as far as contacts need them (mautic:337-340)."""

from __future__ import annotations

from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import dump
from integration.sandbox.mautic.company_store import add_company
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.entities import projects
from integration.sandbox.mautic.field_values import label_of
from integration.sandbox.mautic.list_queries import page
from integration.sandbox.mautic.request_body import form
from integration.sandbox.mautic.state import State


def register(context: MauticContext) -> None:
    """Add the routes of companies."""
    context.route("GET", "/api/companies", lambda: _list(context))
    context.route("POST", "/api/companies/new", lambda: _new(context))
    context.route(
        "GET", "/api/contacts/<int:contact_id>/companies", lambda contact_id: _of_contact(context, contact_id)
    )
    path = "/api/companies/<int:company_id>/contact/<int:contact_id>/<any(add,remove):action>"
    context.route("POST", path, lambda **about: _move(context, **about))


def _list(context: MauticContext) -> Response:
    g.caller.need("lead:leads", "view")
    rows = [_company(context.state, row) for row in context.state.companies.values()]
    total, chosen = page(rows)
    return context.reply(dump({"total": str(total), "companies": {str(row["id"]): row for row in chosen}}))


def _new(context: MauticContext) -> Response:
    g.caller.need("lead:leads", "create")
    sent = form()
    state = context.state
    aliases = [row["alias"] for row in state.fields.values() if row["object"] == "company"]
    values = {alias: php_format.text(sent[alias]) for alias in aliases if sent.get(alias) not in (None, "")}
    known = next((row for row in state.companies.values() if row["companyname"] == values.get("companyname")), None)
    if known:
        known.update(values)
        return context.reply(dump({"company": _company(state, known)}))
    row = add_company(state, {"companyname": None, **values})
    return context.reply(dump({"company": _company(state, row)}), 201, f"/api/companies/{row['id']}")


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


def _of_contact(context: MauticContext, contact_id: int) -> Response:
    contact = context.contact(contact_id)
    rows = [
        _membership(context.state, context.state.companies[number], place)
        for place, number in enumerate(contact.companies)
    ]
    return context.reply(dump({"total": len(rows), "companies": rows}))


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


def _move(context: MauticContext, company_id: int, contact_id: int, action: str) -> Response:
    g.caller.need("lead:leads", "edit")
    context.row(context.state.companies, company_id)
    contact = context.contact(contact_id)
    contact.companies = [number for number in contact.companies if number != company_id]
    if action == "add":
        contact.companies.append(company_id)
    context.state.changes += 1
    return context.reply(dump({"success": 1}))
