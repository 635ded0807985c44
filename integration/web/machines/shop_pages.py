"""What the pages of a connected shop and its visitors may ask of us without a user: whose page it is, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from integration import json_text, shop_lines
from integration.field_errors import by_field
from integration.models.connector import Connector
from integration.pipeline.connectors.shop_origins import homes, origin_of
from integration.web.frame.services import services

Body = TypeVar("Body", bound=BaseModel)
#: So long a browser may use the script that it has.
SCRIPT_AGE_S = 300


class Refused(Exception):
    """A body that cannot be used; `answer` says why."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def connector_of(key: str) -> Connector | None:
    """Return the connector that the shop's pages call by this key, None for one that nobody has."""
    with services().db.read() as session:
        return session.scalar(select(Connector).where(Connector.cart_key == key))


def is_from_shop(connector: Connector) -> bool:
    """Tell whether the call comes from a page of the connector's shop: a browser always says where it comes from."""
    return origin_of(request.headers.get("Origin", "")) in homes(connector)


def allowed(answer: Response) -> Response:
    """Let the page that has asked read the answer; `is_from_shop` comes before it."""
    answer.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "null")
    answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
    answer.headers["Access-Control-Allow-Methods"] = "POST"
    answer.headers["Access-Control-Max-Age"] = "600"
    answer.headers["Vary"] = "Origin"
    return answer


def script_answer(text: str) -> ResponseReturnValue:
    """Return a script that any page may load, and that a browser asks for anew after some minutes."""
    answer = Response(text, mimetype="text/javascript")
    answer.headers["Cache-Control"] = f"public, max-age={SCRIPT_AGE_S}"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.set_etag(shop_lines.etag(text))
    return answer.make_conditional(request)


def body_as(model: type[Body], max_bytes: int, noun: str) -> Body:
    """Return the JSON body as the model; raises Refused for what is too large, no JSON, or none of its kind."""
    request.max_content_length = max_bytes
    try:
        body = json_text.received(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise Refused(problem(413, "body", f"This is larger than any {noun}.")) from None
    except ValueError:
        raise Refused(problem(400, "body", "The body is no JSON.")) from None
    try:
        return model.model_validate(body)
    except ValidationError as error:
        fields = by_field(error)
        code = next(iter(fields), "") or "body"
        raise Refused(problem(422, code, "Correct the fields that are named.", fields)) from None


def problem(status: int, code: str, sentence: str, fields: Mapping[str, str] | None = None) -> Response:
    """Return an error as a script gets it."""
    answer = jsonify(error=code, sentence=sentence, fields=dict(fields or {}))
    answer.status_code = status
    return answer
