"""What machines send: the bodies of the API's requests, checked on their way in."""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Annotated, Any, Literal

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from integration import json_text
from integration.field_errors import by_field
from integration.pipeline.runs.options import ID_MAX, checked_ids
from integration.settings import MappingRow
from integration.settings.mapping import ROWS_MAX
from integration.url_filters import EntryId, UrlFilter
from integration.web.machines.authentication import Refused, unusable

REPLAYED_IDS_MAX = 500
RecordId = Annotated[int, Field(strict=True, ge=0, le=ID_MAX)]


def _ids(value: Any) -> list[int]:
    return checked_ids(value, REPLAYED_IDS_MAX)


class Replay(BaseModel):
    """Which dead letters are sent again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: Annotated[list[RecordId], BeforeValidator(_ids), Field(min_length=1, max_length=REPLAYED_IDS_MAX)]


class Erase(BaseModel):
    """Who is to be erased, everywhere or in one connector, what becomes of the contact, and whether to block it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: Annotated[str, Field(strict=True, min_length=3, max_length=320, json_schema_extra={"format": "email"})]
    connector_id: RecordId | None = None
    in_mautic: Literal["keep", "strip", "delete"]
    block: Annotated[bool, Field(strict=True)] = False


class FieldMapping(BaseModel):
    """All rows of a connector's field mapping, in their order; none empties it.

    `version` is the one that they were made from: saved on another one they are refused. With `dry_run` nothing is
    stored, and the answer tells what would change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: Annotated[list[MappingRow], Field(max_length=ROWS_MAX)]
    version: RecordId | None = None
    dry_run: Annotated[bool, Field(strict=True)] = False


class LinesAfter(UrlFilter):
    """Which lines of a run are wanted: those behind an id."""

    after: EntryId = 0


def value() -> Any:
    """Return the value of the JSON of the request; raises Refused: 400 for another body, 413 for too many values."""
    if not request.is_json:
        raise Refused(400, "body", "The request does not say that it has JSON.", "Send Content-Type: application/json.")
    try:
        return json_text.received(request.get_data())
    except json_text.TooManyValues as error:
        raise Refused(413, "body", str(error), "Send it in parts.") from None
    except ValueError as error:
        raise Refused(400, "body", _unreadable(error), "Correct it and send it again.") from None


def _unreadable(error: ValueError) -> str:
    if not request.get_data():
        return "The body is empty."
    if isinstance(error, JSONDecodeError):
        return f"The body cannot be read as JSON: the fault is in line {error.lineno}, column {error.colno}."
    return "The body cannot be read as JSON: it is no UTF-8, or nested too deeply."


def received() -> dict[str, Any]:
    """Return the JSON object of the request; raises Refused: 400 for any other body, 413 for too many values."""
    body = value()
    if not isinstance(body, dict):
        raise Refused(400, "body", f"The body is {called(body)}, and no JSON object.", "Send an object: {…}.")
    return body


def called(body: Any) -> str:
    """Return what a value of JSON is called."""
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(body), "null")


def wrong(error: ValidationError, model: type[BaseModel], body: Mapping[str, Any]) -> Refused:
    """Return the refusal (422) of a body; where one of its names means nothing, the hint has those that do."""
    unknown = set(body) - set(model.model_fields)
    hint = f"Use {', '.join(sorted(model.model_fields))}." if unknown else "Correct the fields that are named."
    return unusable(by_field(error), hint)
