"""What an answer of the store means: its value, or which error of the tree.

The answers that are told apart here are woo:166 to woo:212 and woo:424 to woo:450.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

from integration.errors import Rejected, ServiceError
from integration.http import upstream
from integration.http.transport import Answer
from integration.masking import mask_text
from integration.store.access import SERVICE
from integration.store.php_values import map_of, whole

#: Bytes; what WordPress says in place of records is short.
_PROBLEM_MAX_BYTES = 20_000
#: How the codes of WordPress' and WooCommerce's problems begin, and the status of those that end so.
_PROBLEMS = ("rest_", "woocommerce_", "wc_")
_STATUSES = {
    "_cannot_view": 401,
    "_cannot_create": 401,
    "_cannot_edit": 401,
    "_cannot_delete": 401,
    "_cannot_batch": 401,
    "_not_logged_in": 401,
    "_authentication_error": 401,
    "_forbidden": 403,
    "_no_route": 404,
    "_invalid_id": 404,
}


def read(answer: Answer) -> tuple[Any, bool]:
    """Return (value, clean) of a good answer; clean is False when something was printed around the JSON (woo:437,
    woo:438).

    Raises NotSetUp for a web page and ServerFault for cut or missing JSON (woo:445).
    """
    foreign = upstream.judge(SERVICE, answer)
    if foreign is not None:
        raise foreign
    return answer.json()


def check_written(value: Any, answer: Answer) -> None:
    """Raise NotSetUp when a write was answered with a list: on its way it became a GET (dossier W15)."""
    if isinstance(value, list):
        raise upstream.error_of("post_became_get", SERVICE, answer)


def unreadable(answer: Answer) -> ServiceError:
    """Return the error of an answer that is not what was asked for."""
    return upstream.error_of("unreadable", SERVICE, answer)


def refused(answer: Answer) -> ServiceError:
    """Return the error of a good answer that has no list where one was asked for: a problem in its words, or no list.

    A problem is no fault that smaller pages would mend.
    """
    if _problem(answer) is None:
        return unreadable(answer)
    return classify(replace(answer, status=400)) or unreadable(answer)


def as_told(answer: Answer) -> Answer:
    """Return the answer with the status that its body tells of: something on the way has made a 200 of a refusal.

    A record may have a code too (a coupon's), but has an id beside it.
    """
    if not 200 <= answer.status < 300 or len(answer.body) > _PROBLEM_MAX_BYTES or b'"code"' not in answer.body:
        return answer
    problem = _problem(answer)
    status = _told_status(problem) if problem is not None and "id" not in problem else 0
    return replace(answer, status=status) if status else answer


def _told_status(problem: Mapping[str, Any]) -> int:
    """Return the status (400 to 599) that WordPress' problem stands for, by its data or else its code; 0 for none."""
    status = whole((map_of(problem.get("data")) or {}).get("status"))
    if 400 <= status < 600:
        return status
    code = str(problem["code"])
    if not code.startswith(_PROBLEMS):
        return 0
    return next((told for ending, told in _STATUSES.items() if code.endswith(ending)), 400)


def classify(answer: Answer) -> ServiceError | None:
    """Return the error that an answer stands for, None for a good one (2xx)."""
    answer = as_told(answer)
    if 200 <= answer.status < 300:
        return None
    found = upstream.judge(SERVICE, answer)
    problem = _problem(answer)
    return _rejected(answer, problem) if found is None and problem is not None else found


def excerpt(answer: Answer) -> str:
    """Return the start of the body with keys and tokens masked."""
    return mask_text(answer.text[:500])


def server_now(answer: Answer) -> datetime | None:
    """Return the store's clock by the Date header, aware in UTC, None without one."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return None


def _problem(answer: Answer) -> dict[str, Any] | None:
    """Return WordPress' {"code", "message", "data"}, None for anything else."""
    try:
        value = answer.json()[0]
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("code"), str) else None


def _rejected(answer: Answer, problem: dict[str, Any]) -> Rejected:
    message = plain_text(str(problem.get("message", ""))).rstrip(".")
    data = problem.get("data")
    params = data.get("params") if isinstance(data, dict) else None
    details = params if isinstance(params, dict) else {}
    code, hint = _kind(answer.status, str(problem["code"]))
    said = "; ".join(str(value).rstrip(".") for value in details.values()) or message or problem["code"]
    return Rejected(
        SERVICE,
        code,
        f"The store refused the request: {said}.",
        hint,
        status=answer.status,
        details=details,
        excerpt=excerpt(answer),
    )


def _kind(status: int, code: str) -> tuple[str, str]:
    """Return our code and a hint for WooCommerce's code of a 4xx."""
    if status in (404, 410):
        return "gone", "The record was deleted in the store; nothing is to be done."
    if status == 413:
        return "too_large", upstream.texts_of(SERVICE, "too_large")[1]
    if code.endswith("invalid_delivery_url"):
        return "bad_delivery_url", "Set PUBLIC_URL to the https address at which the store can reach this application."
    if code == "rest_invalid_param":
        return "invalid_param", "Correct the value it names."
    if code.endswith("already_exists") or "email-exists" in code or "email_exists" in code:
        return "exists", "Use the one that exists, or another name."
    return "rejected", "Look at the request in the debug log."


def plain_text(html: str) -> str:
    """Return text without tags and entities, blanks made single."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
