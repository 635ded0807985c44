"""Webhooks: the store's own calls, without a user and without a form."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from integration.pipeline.ingest.webhooks import receive
from integration.web.frame.access import public
from integration.web.frame.security import LARGEST_BODY, csrf, limiter
from integration.web.frame.services import services

bp = Blueprint("hooks", __name__)


def _is_unknown(response: Response) -> bool:
    return response.status_code == 404


@bp.post("/hooks/<webhook_path>")
@limiter.limit("60 per minute", deduct_when=_is_unknown)
@public
def delivery(webhook_path: str) -> ResponseReturnValue:
    """Take a webhook on its raw bytes and answer with a status and nothing else: WooCommerce ignores bodies."""
    # A body without announced length is cut at the limit without a word, so one byte more is let in.
    request.max_content_length = LARGEST_BODY + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return "", 413
    if len(body) > LARGEST_BODY:
        return "", 413
    return "", receive(services(), webhook_path, dict(request.headers), body)


csrf.exempt(delivery)
