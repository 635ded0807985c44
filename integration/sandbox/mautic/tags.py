"""Tags as entities of their own (mautic:132-136)."""

from __future__ import annotations

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.answers import Crash
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.entities import answer, deleted, listing
from integration.sandbox.mautic.request_body import form

AREA = "tagManager:tagManager"


def register(context: MauticContext) -> None:
    """Add the routes."""
    context.route("GET", "/api/tags", lambda: _list(context))
    context.route("GET", "/api/tags/<int:tag_id>", lambda tag_id: _get(context, tag_id))
    context.route("POST", "/api/tags/new", lambda: _new(context))
    context.route("DELETE", "/api/tags/<int:tag_id>/delete", lambda tag_id: _delete(context, tag_id))


def _list(context: MauticContext) -> Response:
    g.caller.need(AREA, "view")
    return listing(context, "tags", list(context.state.tags.values()))


def _get(context: MauticContext, tag_id: int) -> Response:
    g.caller.need(AREA, "view")
    return answer(context, "tag", context.row(context.state.tags, tag_id))


def _new(context: MauticContext) -> Response:
    g.caller.need(AREA, "create")
    name = php_format.strip_tags(php_format.text(form().get("tag") or "")).strip()
    if not name:
        raise Crash  # mautic:135.
    with context.state.lock:
        known = context.state.known_tag(name)
        number = context.state.tag_id(name)
    return answer(context, "tag", context.state.tags[number], None if known else f"/api/tags/{number}")


def _delete(context: MauticContext, tag_id: int) -> Response:
    g.caller.need(AREA, "edit")
    with context.state.lock:
        row = context.row(context.state.tags, tag_id)
        del context.state.tags[tag_id]
        for contact in context.state.contacts.values():
            if tag_id in contact.tags:
                contact.tags.remove(tag_id)
        context.state.reindex()
    return deleted(context, "tag", row)
