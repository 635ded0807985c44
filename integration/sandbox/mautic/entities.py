"""What entities other than contacts have in common: who made them and when, and the shapes of answers and lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic.answers import dump
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.list_queries import named, page
from integration.sandbox.mautic.php_format import iso
from integration.sandbox.mautic.state import State

Row = dict[str, Any]


def made(state: State) -> Row:
    """Return the first keys of a new entity."""
    return stamps(state, g.caller.id, g.caller.name)


def stamps(state: State, user_id: int | None, user: str | None) -> Row:
    """Return who made an entity, and when; since Mautic 7 that counts as its first change (mautic:221, mautic:248)."""
    now = iso(state.now())
    changed = (now, user_id, user) if state.major >= 7 else (None, None, None)
    return {
        "isPublished": True,
        "dateAdded": now,
        "dateModified": changed[0],
        "createdBy": user_id,
        "createdByUser": user,
        "modifiedBy": changed[1],
        "modifiedByUser": changed[2],
    }


def projects(state: State) -> Row:
    """Return the last key of segments, e-mails and companies, which Mautic 7 brought (mautic:221, mautic:305,
    mautic:337).
    """
    return {"projects": []} if state.major >= 7 else {}


def touch(state: State, row: Row) -> None:
    """Note who changed an entity, and when; Mautic 7 leaves the time as it is (its issue 15418)."""
    row.update(modifiedBy=g.caller.id, modifiedByUser=g.caller.name)
    if state.major < 7:
        row["dateModified"] = iso(state.now())
    state.changes += 1


def answer(context: MauticContext, noun: str, row: Row, created_at: str | None = None) -> Response:
    """Return one entity; `created_at` is the Location of a new one."""
    return context.reply(dump({noun: row}), 201 if created_at else 200, created_at)


def deleted(context: MauticContext, noun: str, row: Row) -> Response:
    """Return an entity that is gone: its id is null (mautic:136, mautic:220, mautic:247)."""
    context.state.changes += 1
    return context.reply(dump({noun: {**row, "id": None}}))


def listing(
    context: MauticContext, plural: str, rows: list[Row], order: str = "id", show: Callable[[Row], Row] = dict
) -> Response:
    """Return a page of entities by id; an empty one is [] (mautic:132, mautic:229, mautic:273, mautic:312,
    mautic:343).
    """
    total, chosen = page(rows, order, named)
    shown = {str(row["id"]): show(row) for row in chosen}
    return context.reply(dump({"total": total, plural: shown or []}))
