"""The paths that can be mapped: those that a store's newest records have, meta data too, each with an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from integration import streams
from integration.errors import ServiceError
from integration.events import Kind
from integration.mapping.formats import text_of
from integration.mapping.text import clean
from integration.models.connector import Connector
from integration.pipeline.services import Services
from integration.records import Cart, CartLine
from integration.settings.mapping import MADE, MADE_VALUES, META, OWN_META_PREFIXES
from integration.store.meta_data import meta

#: So many of the newest records are looked at.
RECORDS = 5
PATHS_MAX = 300
_EXAMPLE_CHARS = 40
_LEVELS_MAX = 4
_LEFT_OUT = ("_links", META)


def mapped_kinds() -> tuple[Kind, ...]:
    """Return the kinds of records that own rows may be about."""
    return tuple(kind for kind in streams.STREAMS if kind in MADE_VALUES)


def made(kind: Kind) -> dict[str, str]:
    """Return the path of each value that is made of a record -> what people call it."""
    return {f"{MADE}.{name}": words for name, words in MADE_VALUES[kind].items()}


def of_store(services: Services, connector: Connector, kind: Kind) -> dict[str, str]:
    """Return path -> an example, of the newest records of the store; made values first. Raises ServiceError."""
    found = made(kind)
    if streams.of(kind).kept_here:
        names = [each.name for each in fields(Cart) if each.name != "lines"]
        return found | dict.fromkeys([*names, *(f"lines.{each.name}" for each in fields(CartLine))], "")
    path = streams.of(kind).store_path
    client = services.open_store(connector)
    rows, _ = client.get(path, {"per_page": RECORDS, "orderby": "id", "order": "desc"})
    for row in rows if isinstance(rows, list) else ():
        for name, value in _walk(row) if isinstance(row, Mapping) else ():
            if len(found) < PATHS_MAX and (name not in found or not found[name]):
                found[name] = clean(text_of(value))[:_EXAMPLE_CHARS]
    return found


def of_kinds(services: Services, connector: Connector) -> tuple[dict[Kind, dict[str, str]], str]:
    """Return the paths of each kind, those of a kind that the store does not give without its records; and why."""
    found: dict[Kind, dict[str, str]] = {}
    why = ""
    for kind in mapped_kinds():
        try:
            found[kind] = of_store(services, connector, kind)
        except ServiceError as error:
            found[kind], why = made(kind), error.sentence
    return found, why


def _walk(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if name not in _LEFT_OUT:
            yield from _below(str(name), value)
    for key, value in meta(record).items():
        if not key.casefold().startswith(OWN_META_PREFIXES):
            yield from _below(f"{META}.{key}", value)


def _below(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        value = {name: each for one in value if isinstance(one, Mapping) for name, each in one.items()}
    if not isinstance(value, Mapping):
        yield path, value
    elif path.count(".") < _LEVELS_MAX:
        for name, inner in value.items():
            if name not in _LEFT_OUT:
                yield from _below(f"{path}.{name}", inner)
