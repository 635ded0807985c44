"""What entities other than contacts have in common: who made them and when, and the shapes of answers and lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from flask import g
from werkzeug.wrappers import Response

from integration.sandbox.mautic.answers import dump
from integration.sandbox.mautic.lists import named
from integration.sandbox.mautic.lists import page
from integration.sandbox.mautic.php import iso
from integration.sandbox.mautic.state import State

if TYPE_CHECKING:
    from integration.sandbox.mautic.server import MauticServer

Row = dict[str, Any]


def made(state: State) -> Row:
    """Return the first keys of a new entity."""
    return {
        "isPublished": True,
        "dateAdded": iso(state.now()),
        "dateModified": None,
        "createdBy": g.caller.id,
        "createdByUser": g.caller.name,
        "modifiedBy": None,
        "modifiedByUser": None,
    }


def touch(state: State, row: Row) -> None:
    """Note who changed an entity, and when."""
    row.update(dateModified=iso(state.now()), modifiedBy=g.caller.id, modifiedByUser=g.caller.name)
    state.changes += 1


def answer(server: MauticServer, noun: str, row: Row, created_at: str | None = None) -> Response:
    """Return one entity; `created_at` is the Location of a new one."""
    return server.reply(dump({noun: row}), 201 if created_at else 200, created_at)


def deleted(server: MauticServer, noun: str, row: Row) -> Response:
    """Return an entity that is gone: its id is null (recordings 136, 220, 247)."""
    server.state.changes += 1
    return server.reply(dump({noun: {**row, "id": None}}))


def listing(
    server: MauticServer, plural: str, rows: list[Row], order: str = "id", show: Callable[[Row], Row] = dict
) -> Response:
    """Return a page of entities by id; an empty one is [] (recordings 132, 229, 273, 312, 343)."""
    total, chosen = page(rows, order, named)
    shown = {str(row["id"]): show(row) for row in chosen}
    return server.reply(dump({"total": total, plural: shown or []}))
