"""The description of the API as a page: every address with what it takes and gives, and an example (P101)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from integration.inbound.intake import ITEMS_MAX
from integration.inbound.repeats import KEPT
from integration.models.user import Role
from integration.operations.identity.tokens import SCOPES
from integration.web.frame.access import needs
from integration.web.frame.services import services
from integration.web.machines import openapi
from integration.web.machines.openapi_examples import example, fields_of
from integration.words import counted

bp = Blueprint("api_reference", __name__, url_prefix="/tokens/reference")


@dataclass(frozen=True, slots=True)
class Described:
    """One call as the page shows it: `body` and `answer` are example texts, "" where there is none."""

    name: str
    method: str
    path: str
    summary: str
    scope: str
    parameters: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    body: str
    answer: str
    curl: str


@bp.get("")
@needs(Role.VIEWER)
def index() -> ResponseReturnValue:
    """Show every call of the API."""
    document = openapi.described()
    return render_template(
        "administration/tokens/reference.html",
        calls=[_described(each, document) for each in openapi.OPERATIONS],
        scopes=SCOPES,
        items_max=ITEMS_MAX,
        kept=counted(round(KEPT.total_seconds() / 3600), "hour"),
    )


def _described(operation: openapi.Operation, document: Mapping[str, Any]) -> Described:
    schemas = document["components"]["schemas"]
    told = document["paths"][operation.path][operation.method]
    body = example(schemas[operation.body.__name__], schemas) if operation.body else None
    answer = example(schemas[operation.answer.__name__], schemas) if operation.answer else None
    return Described(
        operation.name,
        operation.method.upper(),
        operation.path,
        operation.summary.removesuffix("."),
        operation.scope,
        told["parameters"],
        fields_of(schemas[operation.body.__name__], schemas) if operation.body else (),
        openapi.written(body),
        openapi.written(answer),
        _curl(operation, body),
    )


def _curl(operation: openapi.Operation, body: Any) -> str:
    address = f"{services().base_url}{operation.path}"
    parts = [f'curl "{address}"', '  -H "Authorization: Bearer $TOKEN"']
    if operation.method == "post":
        parts.insert(1, "  -X POST")
    if body is not None:
        parts += ['  -H "Content-Type: application/json"', f"  -d '{openapi.written(body)}'"]
    return " \\\n".join(parts)
