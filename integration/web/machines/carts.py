"""What a shop's pages ask us for and tell us of their carts: without a user, from one origin, in small pieces (P51)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from integration import json_text
from integration.carts import script
from integration.carts.capture import capture
from integration.carts.captured import Captured
from integration.field_errors import by_field
from integration.models.connector import Connector
from integration.web.frame.access import public
from integration.web.frame.security import csrf, limiter
from integration.web.frame.services import services

bp = Blueprint("cart_capture", __name__, url_prefix="/carts")

#: A browser lets a beacon carry no more (storefront.md, "Leaving").
BODY_MAX_BYTES = 64 * 1024
#: So long a browser may use the script that it has.
SCRIPT_AGE_S = 300
#: Programs that visit shops without buying; what else calls itself so is none of ours to tell.
_BOTS = re.compile(r"bot\b|crawl|spider|slurp|preview|headlesschrome-lighthouse|facebookexternalhit", re.IGNORECASE)


@bp.get("/<key>.js")
@limiter.limit("600 per minute")
@public
def script_of(key: str) -> ResponseReturnValue:
    """Give the script of a connector; one that nobody knows, or whose carts are off, does nothing."""
    connector = _connector(key)
    text = script.OFF
    if connector is not None:
        text = script.script(services().modules(connector).carts, f"{services().base_url}/carts/{key}")
    answer = Response(text, mimetype="text/javascript")
    answer.headers["Cache-Control"] = f"public, max-age={SCRIPT_AGE_S}"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.set_etag(script.etag(text))
    return answer.make_conditional(request)


@bp.route("/<key>", methods=["OPTIONS"])
@public
def asked_first(key: str) -> ResponseReturnValue:
    """Let the shop's pages send what a browser asks about first."""
    connector = _connector(key)
    if connector is None or not _is_from(connector):
        return "", 403
    return _allowed(Response(status=204))


@bp.post("/<key>")
@limiter.limit("240 per minute")
@public
def taken(key: str) -> ResponseReturnValue:
    """Keep one state of a cart; what is answered with 204 is stored."""
    connector = _connector(key)
    if connector is None:
        return _problem(404, "unknown", "No shop has this address.")
    if not _is_from(connector):
        return _problem(403, "origin", "Only pages of the connected shop may send carts here.")
    if _BOTS.search(request.user_agent.string) or not request.user_agent.string:
        return _allowed(Response(status=204))
    try:
        state = _state()
    except _Refused as refusal:
        return _allowed(refusal.answer)
    with services().db.write() as session:
        capture(session, services().clock.now(), connector.id, services().modules(connector).carts, state)
    return _allowed(Response(status=204))


csrf.exempt(taken)


class _Refused(Exception):
    def __init__(self, status: int, code: str, sentence: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.answer = _problem(status, code, sentence, fields)


def _state() -> Captured:
    """Return what was sent, raise _Refused for what is too large, no JSON, or no cart."""
    request.max_content_length = BODY_MAX_BYTES
    try:
        body = json_text.loads(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise _Refused(413, "body", "This is larger than any cart.") from None
    except ValueError:
        raise _Refused(400, "body", "The body is no JSON.") from None
    try:
        return Captured.model_validate(body)
    except ValidationError as error:
        fields = by_field(error)
        raise _Refused(422, next(iter(fields), "") or "body", "Correct the fields that are named.", fields) from None


def _problem(status: int, code: str, sentence: str, fields: dict[str, str] | None = None) -> Response:
    answer = jsonify(error=code, sentence=sentence, fields=fields or {})
    answer.status_code = status
    return answer


def _connector(key: str) -> Connector | None:
    with services().db.read() as session:
        return session.scalar(select(Connector).where(Connector.cart_key == key))


def _is_from(connector: Connector) -> bool:
    """Tell whether the call comes from a page of the connector's shop: a browser always says where it comes from."""
    homes = (connector.store_url, str(connector.store_facts.get("home") or ""))
    origin = _origin_of(request.headers.get("Origin", ""))
    return bool(origin[1]) and origin in {_origin_of(home) for home in homes}


def _origin_of(address: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, the port of the scheme where none is said; ("", "", None) for no address."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port


def _allowed(answer: Response) -> Response:
    answer.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "null")
    answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
    answer.headers["Access-Control-Allow-Methods"] = "POST"
    answer.headers["Access-Control-Max-Age"] = "600"
    answer.headers["Vary"] = "Origin"
    return answer
