"""Tags as entities of their own (recordings 132-136)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php
from integration.sandbox.mautic.answers import Crash
from integration.sandbox.mautic.entities import answer, deleted, listing
from integration.sandbox.mautic.payload import form

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer

AREA = "tagManager:tagManager"


def register(server: MauticServer) -> None:
    """Add the routes."""
    server.route("GET", "/api/tags", lambda: _list(server))
    server.route("GET", "/api/tags/<int:tag_id>", lambda tag_id: _get(server, tag_id))
    server.route("POST", "/api/tags/new", lambda: _new(server))
    server.route("DELETE", "/api/tags/<int:tag_id>/delete", lambda tag_id: _delete(server, tag_id))


def _list(server: MauticServer) -> Response:
    g.caller.need(AREA, "view")
    return listing(server, "tags", list(server.state.tags.values()))


def _get(server: MauticServer, tag_id: int) -> Response:
    g.caller.need(AREA, "view")
    return answer(server, "tag", server.row(server.state.tags, tag_id))


def _new(server: MauticServer) -> Response:
    g.caller.need(AREA, "create")
    name = php.strip_tags(php.text(form().get("tag") or "")).strip()
    if not name:
        raise Crash  # Recording 135.
    with server.state.lock:
        known = server.state.known_tag(name)
        number = server.state.tag_id(name)
    return answer(server, "tag", server.state.tags[number], None if known else f"/api/tags/{number}")


def _delete(server: MauticServer, tag_id: int) -> Response:
    g.caller.need(AREA, "edit")
    with server.state.lock:
        row = server.row(server.state.tags, tag_id)
        del server.state.tags[tag_id]
        for contact in server.state.contacts.values():
            if tag_id in contact.tags:
                contact.tags.remove(tag_id)
        server.state.reindex()
    return deleted(server, "tag", row)
