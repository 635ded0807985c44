"""Answers to what went wrong: a page for people, JSON for machines; a sentence and what to do, never a stack trace."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import NoResultFound, SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed

from integration.errors import IntegrationError, ServiceError, SettingError
from integration.models.disk_faults import fault_of
from integration.pipeline.leases.endings import is_passing
from integration.web.frame import fault_log
from integration.web.frame.security import seconds_to_wait
from integration.web.frame.services import services
from integration.words import counted

SENTENCES: dict[int, tuple[str, str]] = {
    400: ("The request could not be understood.", "Go back, reload the page and try again."),
    403: (
        "Your role does not allow this.",
        "Ask an administrator of your organisation to do it or to change your role.",
    ),
    404: ("There is no such page.", "It may have been removed, or belong to another organisation."),
    405: ("This address cannot be used in that way.", "Go back and use the buttons of the page."),
    413: ("What was sent is too large.", "At most 5 MB are taken at once, and 10,000 fields of a form."),
    429: ("There were too many attempts.", "Wait a minute, then try again."),
    503: (
        "The database does not answer at the moment.",
        "Nothing was changed. Try again in a few seconds.",
    ),
    500: (
        "Something went wrong on our side.",
        "Try again; if it happens again, look into the application log, where the cause is written.",
    ),
}


#: So long a caller is asked to wait when the database is locked, or the disk full.
RETRY_AFTER_S, DISK_RETRY_AFTER_S = 5, 60
#: Every address below it is for machines.
_API = "/api/"
_CORRECT = "Correct the request and send it again."


def said(
    status: int, code: str, sentence: str, hint: str = "", fields: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Return an error as machines get it; `fields` has a sentence for each field of a body or URL that is wrong."""
    return jsonify(error=code, sentence=sentence, hint=hint, fields=dict(fields or {})), status


def page(status: int, sentence: str, hint: str = "", code: str = "") -> ResponseReturnValue:
    """Return an error as a page, or as JSON where a machine asked; without a code its name is that of the status."""
    if _is_for_machines():
        return said(status, code or HTTPStatus(status).name.lower(), sentence, hint)
    return render_template("frame/error.html", status=status, sentence=sentence, hint=hint), status


def _is_for_machines() -> bool:
    return request.path.startswith(_API)


def http_error(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """Answer an HTTP error with its page; redirects, and what brings an answer of its own, pass."""
    status = error.code or 500
    if status < 400 or error.response is not None:
        return error
    sentence, hint = SENTENCES.get(status, (f"{error.name}.", "Go back and try again."))
    if status == 429:
        hint = _wait()
    elif _is_for_machines():
        hint = _machine_hint(error, hint)
    answer = make_response(page(status, sentence, hint, error.name.lower().replace(" ", "_")))
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _machine_hint(error: HTTPException, hint: str) -> str:
    """Return what a machine is to do about an HTTP error: it has no page to go back to."""
    if isinstance(error, MethodNotAllowed):
        methods = sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"})
        return f"This address takes {' and '.join(methods)}."
    return hint if error.code in SENTENCES and error.code != 400 else _CORRECT


def _wait() -> str:
    """Return how long to wait, and what works meanwhile where somebody wants to sign in."""
    told = f"Wait {counted(math.ceil(seconds_to_wait() / 60), 'minute')}, then try again."
    link = "A one-time link signs you in at once: an administrator can make one, or `woo-mautic user link`."
    return f"{told} {link}" if request.blueprint == "auth" else told


def csrf_error(error: CSRFError) -> ResponseReturnValue:
    """Answer a form that did not come from a page of ours, or from one of an ended session."""
    return page(400, "This form was not sent from a current page of this site.", "Reload the page and send it again.")


def unreadable_body(error: ParseException) -> ResponseReturnValue:
    """Answer a body that breaks HTTP's own rules, such as a chunk without a size."""
    sentence, hint = SENTENCES[400]
    return page(400, sentence, _CORRECT if _is_for_machines() else hint, "bad_request")


def gone(error: NoResultFound) -> ResponseReturnValue:
    """Answer where the row that an address names is not there, or was removed since the page looked."""
    return page(404, *SENTENCES[404], "not_found")


def integration_error(error: IntegrationError) -> ResponseReturnValue:
    """Answer one of our own errors with its sentence and hint."""
    status = 502 if isinstance(error, ServiceError) else 400 if isinstance(error, SettingError) else 409
    return page(status, error.sentence, error.hint, error.code)


def storage_error(error: SQLAlchemyError | OSError) -> ResponseReturnValue:
    """Answer 503 where the disk is full or the database locked or away; anything else is an error of ours."""
    if services().disk.met(error) and (fault := fault_of(error)) is not None:
        return _come_again(DISK_RETRY_AFTER_S, fault.sentence, fault.hint, fault.code)
    if not is_passing(error):
        current_app.log_exception(sys.exc_info())
        return unexpected(error)
    fault_log.say_seldom("The database did not answer: %s", type(error).__name__)
    return _come_again(RETRY_AFTER_S, *SENTENCES[503], "database_busy")


def _come_again(seconds: int, sentence: str, hint: str, code: str) -> ResponseReturnValue:
    """Return 503 with a time to wait; a store gets no words, for it ignores them."""
    answer = make_response(("", 503) if request.blueprint == "hooks" else page(503, sentence, hint, code))
    answer.headers["Retry-After"] = str(seconds)
    return answer


def unexpected(error: Exception) -> ResponseReturnValue:
    """Answer anything else; the cause is in the application log."""
    return page(500, *SENTENCES[500], "internal_server_error")


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(IntegrationError, integration_error)
    app.register_error_handler(SQLAlchemyError, storage_error)
    app.register_error_handler(OSError, storage_error)
    app.register_error_handler(NoResultFound, gone)
    app.register_error_handler(ParseException, unreadable_body)
    app.register_error_handler(InternalServerError, unexpected)
    app.register_error_handler(HTTPException, http_error)
