"""Examples of what the API takes and gives, and its fields as rows, read from the schemas of its description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_OF_TYPE: Mapping[str, Any] = {"string": "…", "integer": 1, "number": 1, "boolean": True, "null": None}
_OF_FORMAT: Mapping[str, str] = {"date-time": "2026-11-20T10:30:00+00:00", "email": "ada@example.com"}
_UNUSED = "Taken, and not used."
#: Deeper parts are shown by their own names alone.
_LEVELS_MAX = 3


def example(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """Return a value that fits a schema: its own first example, else one made of its parts."""
    schema = _resolved(schema, schemas)
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    if "default" in schema and schema["default"] not in (None, "", [], {}):
        return schema["default"]
    if schema.get("format") in _OF_FORMAT:
        return _OF_FORMAT[schema["format"]]
    kind = _type_of(schema)
    if kind == "object":
        parts = schema.get("properties", {}).items()
        return {name: example(part, schemas) for name, part in parts if part.get("description") != _UNUSED}
    if kind == "array":
        return [example(schema["items"], schemas)] if "items" in schema else []
    return _OF_TYPE.get(kind)


def fields_of(schema: Schema, schemas: Mapping[str, Schema], path: str = "", level: int = 0) -> list[dict[str, Any]]:
    """Return the fields of a body by their paths, with type, whether they are needed, and what is taken unused."""
    return list(_fields(schema, schemas, path, level))


def _fields(schema: Schema, schemas: Mapping[str, Schema], path: str, level: int) -> Iterator[dict[str, Any]]:
    schema = _resolved(schema, schemas)
    needed = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        inner = _resolved(part, schemas)
        listed = _type_of(inner) == "array"
        items = _resolved(inner.get("items", {}), schemas) if listed else inner
        unused = part.get("description") == _UNUSED
        yield {
            "path": f"{path}{name}",
            "type": "any" if unused else _said(inner, items, listed=listed),
            "needed": name in needed,
            "unused": unused,
        }
        if items.get("properties") and level < _LEVELS_MAX:
            yield from _fields(items, schemas, f"{path}{name}{'[]' if listed else ''}.", level + 1)


def _said(schema: Schema, items: Schema, *, listed: bool) -> str:
    if "enum" in items:
        words = " | ".join(map(str, items["enum"]))
        return f"list of {words}" if listed else words
    kind = items.get("type", "any")
    word = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"list of {word}" if listed else word


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """Return what a reference leads to, and of several shapes the first that is something."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for name in ("anyOf", "oneOf", "allOf"):
        if schema.get(name):
            found = next((each for each in schema[name] if each.get("type") != "null"), schema[name][0])
            return _resolved(found, schemas)
    return schema


def _type_of(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "")
    return str(kind[0] if isinstance(kind, list) else kind)
