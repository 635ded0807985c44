"""The description of the API (OpenAPI 3.1), made from the models that check what comes in and goes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from integration.inbound.bodies import KINDS
from integration.inbound.intake import ITEMS_MAX
from integration.inbound.repeats import KEPT, KEY_MAX_CHARS
from integration.operations.identity.tokens import SCOPES
from integration.pipeline.dead_letters.filters import DeadQuery
from integration.pipeline.runs.options import RunOptions
from integration.queries.record_filters import RecordQuery
from integration.queries.runs import RunQuery
from integration.queries.sync_log_filters import LogQuery
from integration.url_filters import UrlFilter
from integration.web.frame.access import public
from integration.web.machines import bodies, inbound, request_bodies
from integration.web.machines.authentication import ID_MAX
from integration.web.machines.inbound import OfConnector

bp = Blueprint("openapi", __name__, url_prefix="/api/v1")
_REF = "#/components/schemas/{model}"
_ERRORS = {
    "400": "The request cannot be read.",
    "401": "The token is missing, unknown, expired or revoked.",
    "403": "The token lacks the scope.",
    "404": "There is no such thing, or it belongs to another organisation.",
    "409": "It cannot be done now, as while a run is going.",
    "413": "The body is too large, or has too many values; send it in parts.",
    "422": "A value of the body or the URL is wrong; `fields` names each.",
    "429": "There were too many calls; wait a minute.",
}


@dataclass(frozen=True)
class Operation:
    """A call of the API: what it takes and gives. `answer` None is a file of JSON of any shape.

    `several` says that it takes one body or a list of them, and an idempotency key.
    """

    path: str
    name: str
    summary: str
    scope: str
    answer: type[bodies.Answer] | None
    method: str = "get"
    body: type[BaseModel] | None = None
    filters: type[UrlFilter] | None = None
    several: bool = False

    @property
    def status(self) -> str:
        """Return the status of success."""
        return "202" if self.method == "post" else "200"


_CONNECTOR = "/api/v1/connectors/{connector_id}"
_MAPPING = f"{_CONNECTOR}/field-mapping"
_RUN = "/api/v1/runs/{run_id}"


def _sending(name: str, path: str, operation: str, filters: type[UrlFilter] | None = None) -> Operation:
    where = "the only connector, or the one that is named" if filters else "a connector"
    summary = f"Send {name} to {where}."
    body = KINDS[name]
    return Operation(path, operation, summary, "write", inbound.Received, "post", body, filters, several=True)


OPERATIONS: Sequence[Operation] = (
    Operation("/api/v1/connectors", "connectors", "List connectors.", "logs", bodies.Connectors),
    Operation(f"{_CONNECTOR}/log", "log", "Read the sync log.", "logs", bodies.LogPage, filters=LogQuery),
    Operation(f"{_CONNECTOR}/records", "records", "List records.", "logs", bodies.Records, filters=RecordQuery),
    Operation(f"{_CONNECTOR}/runs", "run_list", "List runs.", "logs", bodies.Runs, filters=RunQuery),
    Operation(f"{_CONNECTOR}/runs", "start", "Start a run.", "runs", bodies.StartedRun, "post", RunOptions),
    Operation(
        f"{_CONNECTOR}/dead-letters",
        "dead_letters",
        "List dead letters.",
        "logs",
        bodies.DeadLetters,
        filters=DeadQuery,
    ),
    Operation(
        f"{_CONNECTOR}/replay",
        "replay",
        "Send dead letters again.",
        "replay",
        bodies.Replayed,
        "post",
        request_bodies.Replay,
    ),
    Operation(_RUN, "run", "Read a run and how far it is.", "logs", bodies.RunWithProgress),
    Operation(
        f"{_RUN}/lines", "lines", "Read the lines of a run.", "logs", bodies.RunLines, filters=request_bodies.LinesAfter
    ),
    Operation(f"{_RUN}/cancel", "cancel", "Stop a run after the batch in flight.", "runs", bodies.RunNumber, "post"),
    Operation(f"{_RUN}/pause", "pause", "Let a run rest where it stands.", "runs", bodies.RunNumber, "post"),
    Operation(f"{_RUN}/resume", "resume", "Let an ended run go on.", "runs", bodies.RunNumber, "post"),
    Operation(_MAPPING, "field_mapping", "Read the field mapping.", "settings", bodies.FieldMappingShown),
    Operation(
        _MAPPING,
        "set_field_mapping",
        "Set the field mapping, or see what would change.",
        "settings",
        bodies.FieldMappingSet,
        "put",
        request_bodies.FieldMapping,
    ),
    Operation(
        "/api/v1/erasures", "erase", "Erase a person.", "erase", bodies.ErasureAsked, "post", body=request_bodies.Erase
    ),
    Operation("/api/v1/erasures/{erasure_id}", "receipt", "Read a receipt.", "erase", bodies.ErasureReceipt),
    Operation(f"{_RUN}/payloads/{{file_id}}", "payload", "Fetch a payload file.", "runs", None),
    *(_sending(name, f"{_CONNECTOR}/{name}", f"send_{name}") for name in KINDS),
    *(_sending(name, f"/api/v1/{name}", f"send_{name}_short", OfConnector) for name in KINDS),
    Operation(
        f"{_CONNECTOR}/deliveries/{{delivery_id}}",
        "delivery",
        "Say where a contact or an order stands that was sent.",
        "write",
        inbound.Followed,
    ),
    Operation(
        f"{_CONNECTOR}/carts/{{cart_id}}", "cart", "Say where a cart stands that was sent.", "write", inbound.Followed
    ),
)


@bp.get("/openapi.json")
@public
def document() -> ResponseReturnValue:
    """Describe the API; it says nothing of an installation, so no token is needed."""
    return jsonify(described())


def described() -> dict[str, Any]:
    """Return the OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "woo-mautic", "version": "1", "description": _about()},
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Made under Tokens."}},
        },
    }


def written(value: Any) -> str:
    """Return a value as JSON for people, "" for none."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _about() -> str:
    scopes = "; ".join(f"`{name}`: {label}" for name, label in dict(SCOPES).items())
    return f"Names and values of a body or a URL that cannot be used are refused. Scopes of a token: {scopes}."


def _schemas() -> dict[str, Any]:
    answers = {each.answer for each in OPERATIONS if each.answer} | {bodies.Problem}
    taken = {each.body for each in OPERATIONS if each.body}
    pairs = [(model, "serialization") for model in answers] + [(model, "validation") for model in taken]
    pairs.sort(key=lambda pair: pair[0].__name__)
    _, made = models_json_schema(pairs, ref_template=_REF)  # type: ignore[arg-type]
    return dict(made["$defs"])


def _operation(operation: Operation) -> dict[str, Any]:
    errors = {status: _content(text, bodies.Problem) for status, text in _ERRORS.items()}
    made: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs a token with the scope `{operation.scope}`.",
        "parameters": [*_of_path(operation.path), *_of_url(operation), *_of_head(operation)],
        "responses": {operation.status: _content("Done.", operation.answer), **errors},
    }
    if operation.body:
        content = {"application/json": {"schema": _body(operation.body, several=operation.several)}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _body(model: type[BaseModel], *, several: bool) -> dict[str, Any]:
    one = _ref(model)
    if not several:
        return one
    return {"oneOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": ITEMS_MAX}]}


def _of_head(operation: Operation) -> list[dict[str, Any]]:
    """Return the idempotency key; what is sent again under one within a day is answered as before."""
    if not operation.several:
        return []
    hours = round(KEPT.total_seconds() / 3600)
    said = f"The same request under the same key within {hours} hours is answered as before and stores nothing again."
    schema = {"type": "string", "pattern": f"^[!-~]{{1,{KEY_MAX_CHARS}}}$"}
    return [{"name": inbound.KEY_HEADER, "in": "header", "required": False, "description": said, "schema": schema}]


def _of_path(path: str) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    schema = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _of_url(operation: Operation) -> list[dict[str, Any]]:
    found = {}
    if operation.filters:
        found = {name: each.schema() for name, each in operation.filters.parameters().items()}
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in found.items()]


def _content(text: str, model: type[BaseModel] | None) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": _ref(model) if model else {}}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
