"""The command that sends contacts, orders or carts of a file, as the inbound API takes them."""

from __future__ import annotations

import sys
from typing import Any, TextIO

import click
from sqlalchemy.orm import Session

from integration import json_text
from integration.cli import console
from integration.errors import SettingError
from integration.inbound import intake
from integration.inbound.bodies import KINDS
from integration.inbound.intake import ITEMS_MAX, Item, Taken
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.pipeline.services import Services


@click.command()
@console.connector_argument
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.File(encoding="utf-8"))
@console.as_json
def push(connector_id: int, kind: str, file: TextIO, as_json: bool) -> None:
    """Send contacts, orders or carts of a FILE (- for standard input): JSON, one object, a list, or one a line.

    Exit code 1 when an item was refused; the others are taken all the same.
    """
    items = _items(file)
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        taken = [
            _moved(start, item)
            for start in range(0, len(items), ITEMS_MAX)
            for item in _sent(services, connector, kind, items[start : start + ITEMS_MAX])
        ]
    refused = [item for item in taken if item.number is None]
    rows = [{"index": item.index, "id": item.id, "number": item.number, "fields": dict(item.fields)} for item in taken]
    text = "\n".join([*map(_said, refused), f"{len(taken) - len(refused)} taken, {len(refused)} refused."])
    console.show(rows, as_json=as_json, text=text)
    if refused:
        sys.exit(1)


def _items(file: TextIO) -> list[Any]:
    """Return the items of a file; raises SettingError (FILE) for one that is no JSON, or has none."""
    text = file.read()
    try:
        body = json_text.loads(text)
    except ValueError:
        body = _lines(text)
    items = body if isinstance(body, list) else [body]
    if not items:
        raise SettingError("FILE", "The file has no items.", "Write one JSON object, a list, or one object a line.")
    return items


def _lines(text: str) -> list[Any]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found += [json_text.loads(line)] if line.strip() else []
        except ValueError:
            sentence = f"The file is no JSON (line {number})."
            raise SettingError("FILE", sentence, "Write one JSON object, a list, or one object a line.") from None
    return found


def _sent(services: Services, connector: Connector, kind: str, items: list[Any]) -> list[Item]:
    def audit(session: Session, taken: Taken) -> None:
        console.record(services, session, connector, AuditAction.RECEIVED, kind, {"accepted": [None, taken.accepted]})

    return list(intake.take(services, connector, kind, items, audit=audit).items)


def _moved(start: int, item: Item) -> Item:
    return Item(start + item.index, item.id, item.number, item.fields)


def _said(item: Item) -> str:
    faults = "; ".join(f"{path}: {sentence}" for path, sentence in item.fields.items())
    return f"Item {item.index} ({item.id or 'without id'}) was refused. {faults}"


COMMANDS: tuple[click.Command, ...] = (push,)
