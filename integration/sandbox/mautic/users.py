"""Users, roles and the few other lists a caller may look at (recordings 019, 341-345, 352)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic.answers import NOT_FOUND, Refused, dump
from integration.sandbox.mautic.definitions import data
from integration.sandbox.mautic.entities import answer, listing, made, touch
from integration.sandbox.mautic.payload import form
from integration.sandbox.mautic.people import add_role, add_user

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer

AREA = "user:users"


def register(server: MauticServer) -> None:
    """Add the routes."""
    server.route("GET", "/api/users/self", lambda: _self(server))
    server.route("GET", "/api/users", lambda: _list(server))
    server.route("POST", "/api/users/new", lambda: _new_user(server))
    server.route("PATCH", "/api/users/<int:user_id>/edit", lambda user_id: _edit(server, user_id))
    server.route("POST", "/api/roles/new", lambda: _new_role(server))
    server.route("GET", "/api/campaigns", lambda: listing(server, "campaigns", []))
    server.route("GET", "/api/hooks/triggers", lambda: server.reply(dump(data("webhook_triggers"))))
    server.route("POST", "/api/hooks/new", lambda: _new_hook(server))


def _self(server: MauticServer) -> Response:
    """Show the user, or 404 to an OAuth2 client, which is none."""
    user = server.state.users.get(g.caller.id or 0)
    if user is None:
        raise Refused(404, NOT_FOUND)
    role = server.state.roles[user["role"]]
    named = {name: user[name] for name in ("isPublished", "id", "username", "firstName", "lastName", "email")}
    about = {name: role[name] for name in ("isPublished", "id", "name", "description", "isAdmin")}
    return server.reply(
        dump({**named, "role": about, "timezone": user["timezone"] or "", "locale": user["locale"] or ""})
    )


def _shown(server: MauticServer, user: dict[str, Any]) -> dict[str, Any]:
    role = server.state.roles[user["role"]]
    names = ["createdByUser", "modifiedByUser", "id", "name", "description", "isAdmin", "rawPermissions"]
    shown = {name: value for name, value in user.items() if name != "password"}
    return {**shown, "role": {name: role[name] for name in names}}


def _list(server: MauticServer) -> Response:
    g.caller.need(AREA, "view")
    return listing(server, "users", list(server.state.users.values()), show=lambda row: _shown(server, row))


def _new_user(server: MauticServer) -> Response:
    g.caller.need(AREA, "create")
    sent = form()
    password = (sent.get("plainPassword") or {}).get("password", "")
    role = server.row(server.state.roles, int(sent.get("role") or 0))
    user = add_user(server.state, sent, password, role["id"])
    return answer(server, "user", _shown(server, user), f"/api/users/{user['id']}")


def _edit(server: MauticServer, user_id: int) -> Response:
    user = server.row(server.state.users, user_id)
    g.caller.need(AREA, "edit")
    sent = form()
    user.update({name: sent[name] for name in ("firstName", "lastName", "email") if name in sent})
    if "isPublished" in sent:
        user["isPublished"] = bool(sent["isPublished"]) and str(sent["isPublished"]) != "0"
    touch(server.state, user)
    return answer(server, "user", _shown(server, user))


def _new_role(server: MauticServer) -> Response:
    g.caller.need(AREA, "create")
    sent = form()
    role = add_role(server.state, sent, sent.get("rawPermissions") or {})
    return answer(server, "role", role, f"/api/roles/{role['id']}")


def _new_hook(server: MauticServer) -> Response:
    g.caller.need("webhook:webhooks", "create")
    sent = form()
    state = server.state
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
    return answer(server, "hook", hook, f"/api/hooks/{hook['id']}")
