"""What a part of a page gets that asks for itself (static/js/live.js): the part, or in one word why there is none."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_login import current_user

#: The header of a request for a part.
ASKS = "HX-Request"
#: "ok", or why there is no part; its words stand in live.js.
STATUS = "Live-Status"
_PROBLEMS = {401: "signed_out", 403: "forbidden", 404: "gone", 410: "gone", 429: "busy"}


def is_part() -> bool:
    """Return whether the request asks for the part of a page that refreshes itself, and not for the page."""
    return request.method == "GET" and request.headers.get(ASKS) == "true"


def answer(response: Response) -> Response:
    """Answer a part that there is not with 200 and the reason.

    A browser writes each other status into its console, and a redirection would be followed to a page that is none.
    """
    if not is_part():
        return response
    problem = _problem(response.status_code)
    response.headers[STATUS] = problem or "ok"
    if problem:
        response.set_data(b"")
        response.status_code = 200
        response.headers.pop("Location", None)
    return response


def _problem(status: int) -> str:
    if status < 300:
        return ""
    if status < 400:
        return "gone" if current_user.is_authenticated else "signed_out"
    return _PROBLEMS.get(status, "failing")


def init_app(app: Flask) -> None:
    """Answer the parts of all pages so."""
    app.after_request(answer)
