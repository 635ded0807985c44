"""Users, roles and the few other lists a caller may look at (mautic:019, mautic:341-345, 352)."""

from __future__ import annotations

import secrets
from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic.answers import NOT_FOUND, Refused, dump
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.entities import answer, listing, made, touch
from integration.sandbox.mautic.field_definitions import data
from integration.sandbox.mautic.request_body import form
from integration.sandbox.mautic.user_accounts import add_role, add_user

AREA = "user:users"


def register(context: MauticContext) -> None:
    """Add the routes."""
    context.route("GET", "/api/users/self", lambda: _self(context))
    context.route("GET", "/api/users", lambda: _list(context))
    context.route("POST", "/api/users/new", lambda: _new_user(context))
    context.route("PATCH", "/api/users/<int:user_id>/edit", lambda user_id: _edit(context, user_id))
    context.route("POST", "/api/roles/new", lambda: _new_role(context))
    context.route("GET", "/api/campaigns", lambda: listing(context, "campaigns", []))
    context.route("GET", "/api/hooks/triggers", lambda: context.reply(dump(data("webhook_triggers"))))
    context.route("POST", "/api/hooks/new", lambda: _new_hook(context))


def _self(context: MauticContext) -> Response:
    """Show the user, or 404 to an OAuth2 client, which is none."""
    user = context.state.users.get(g.caller.id or 0)
    if user is None:
        raise Refused(404, NOT_FOUND)
    role = context.state.roles[user["role"]]
    named = {name: user[name] for name in ("isPublished", "id", "username", "firstName", "lastName", "email")}
    about = {name: role[name] for name in ("isPublished", "id", "name", "description", "isAdmin")}
    return context.reply(
        dump({**named, "role": about, "timezone": user["timezone"] or "", "locale": user["locale"] or ""})
    )


def _shown(context: MauticContext, user: dict[str, Any]) -> dict[str, Any]:
    role = context.state.roles[user["role"]]
    names = ["createdByUser", "modifiedByUser", "id", "name", "description", "isAdmin", "rawPermissions"]
    shown = {name: value for name, value in user.items() if name != "password"}
    return {**shown, "role": {name: role[name] for name in names}}


def _list(context: MauticContext) -> Response:
    g.caller.need(AREA, "view")
    return listing(context, "users", list(context.state.users.values()), show=lambda row: _shown(context, row))


def _new_user(context: MauticContext) -> Response:
    g.caller.need(AREA, "create")
    sent = form()
    password = (sent.get("plainPassword") or {}).get("password", "")
    role = context.row(context.state.roles, int(sent.get("role") or 0))
    user = add_user(context.state, sent, password, role["id"])
    return answer(context, "user", _shown(context, user), f"/api/users/{user['id']}")


def _edit(context: MauticContext, user_id: int) -> Response:
    user = context.row(context.state.users, user_id)
    g.caller.need(AREA, "edit")
    sent = form()
    user.update({name: sent[name] for name in ("firstName", "lastName", "email") if name in sent})
    if "isPublished" in sent:
        user["isPublished"] = bool(sent["isPublished"]) and str(sent["isPublished"]) != "0"
    touch(context.state, user)
    return answer(context, "user", _shown(context, user))


def _new_role(context: MauticContext) -> Response:
    g.caller.need(AREA, "create")
    sent = form()
    role = add_role(context.state, sent, sent.get("rawPermissions") or {})
    return answer(context, "role", role, f"/api/roles/{role['id']}")


def _new_hook(context: MauticContext) -> Response:
    g.caller.need("webhook:webhooks", "create")
    sent = form()
    state = context.state
    hook = {
        **made(state),
        "id": state.next_id("hooks"),
        "name": sent.get("name"),
        "description": sent.get("description"),
        "webhookUrl": sent.get("webhookUrl"),
        "secret": sent.get("secret") or secrets.token_hex(32),
        "eventsOrderbyDir": None,
        "category": None,
        "triggers": sent.get("triggers") or [],
    }
    hook["isPublished"] = str(sent.get("isPublished", 1)) != "0"
    state.hooks[hook["id"]] = hook
    state.changes += 1
    return answer(context, "hook", hook, f"/api/hooks/{hook['id']}")
