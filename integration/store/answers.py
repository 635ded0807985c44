"""What an answer of the store means: its value, or which error of the tree.

Recordings 166 to 212 and 424 to 450 hold the answers that are told apart here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

from integration.errors import NotSetUp, Rejected, ServerFault, ServiceError, Throttled
from integration.http.transport import Answer
from integration.masking import mask_text
from integration.store.access import SERVICE, plain_permalinks
from integration.store.key_refusals import refusal
from integration.store.walls import is_page, is_plain, page_instead, redirected, walled

_LATER = "It is tried again by itself."
_LONGEST_WAIT = 24 * 3600.0
#: Bytes; what WordPress says in place of records is short.
_LONGEST_PROBLEM = 20_000


def read(answer: Answer) -> tuple[Any, bool]:
    """Return (value, clean) of a good answer; clean is False when something was printed before the JSON (437, 438).

    Raises NotSetUp for a web page and ServerFault (unreadable) for cut or missing JSON (recording 445).
    """
    try:
        return answer.json()
    except ValueError:
        pass
    if is_page(answer):
        raise walled(answer, excerpt(answer)) or page_instead(answer, excerpt(answer))
    raise unreadable(answer)


def check_written(value: Any, answer: Answer) -> None:
    """Raise NotSetUp when a write was answered with a list: on its way it became a GET (dossier W15)."""
    if isinstance(value, list):
        raise NotSetUp(
            SERVICE,
            "post_became_get",
            "The store answers a write as if it were read: something on the way turns POST into GET.",
            "Enter the store's address exactly as WordPress uses it (https, www), and look for a redirect rule.",
            status=answer.status,
        )


def unreadable(answer: Answer) -> ServerFault:
    """Return the error of an answer that is not what was asked for."""
    return ServerFault(
        SERVICE,
        "unreadable",
        "The store's answer was cut off or is no JSON.",
        f"{_LATER} If it stays, look into the store's PHP error log.",
        status=answer.status,
        excerpt=excerpt(answer),
    )


def as_told(answer: Answer) -> Answer:
    """Return the answer with the status that its body tells of: something on the way has made a 200 of a refusal.

    A record may have a code too (a coupon's), but has an id beside it.
    """
    if not 200 <= answer.status < 300 or len(answer.body) > _LONGEST_PROBLEM or b'"code"' not in answer.body:
        return answer
    problem = _problem(answer) or {}
    data = problem.get("data")
    status = data.get("status") if isinstance(data, dict) else None
    told = isinstance(status, int) and 400 <= status < 600 and "message" in problem and "id" not in problem
    return replace(answer, status=int(status or 0)) if told else answer


def classify(answer: Answer) -> ServiceError | None:
    """Return the error that an answer stands for, None for a good one (2xx)."""
    answer = as_told(answer)
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        return redirected(answer)
    problem = _problem(answer)
    throttled = _throttled(answer, problem)
    if throttled is not None:
        return throttled
    if problem is None:
        return _page(answer)
    return _told(answer, problem)


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


def _throttled(answer: Answer, problem: dict[str, Any] | None) -> Throttled | None:
    wait = retry_after(answer)
    if answer.status == 429:
        return _wait(answer, "throttled", "The store asks to send fewer requests.", wait)
    if answer.status == 508 or (answer.status >= 500 and "Resource Limit Is Reached" in answer.text[:5000]):
        return _wait(answer, "resource_limit", "The store's hosting has reached its resource limit.", wait)
    if answer.status == 503 and (wait is not None or (problem or {}).get("code") == "wp_die"):
        return _wait(answer, "maintenance", "The store is closed for maintenance.", wait)
    return None


def _wait(answer: Answer, code: str, sentence: str, wait: float | None) -> Throttled:
    return Throttled(SERVICE, code, sentence, _LATER, status=answer.status, retry_after=wait)


def retry_after(answer: Answer) -> float | None:
    """Return the seconds of Retry-After, given as a number or a date, at most a day; None when it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    now = server_now(answer)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT) if now else None


def _page(answer: Answer) -> ServiceError:
    """Return the error of an answer without WordPress' JSON: nobody of the store said this."""
    shown = excerpt(answer)
    wall = walled(answer, shown)
    if wall is not None:
        return wall
    if answer.status >= 500 or answer.status in (408, 425):
        return _fault(answer, "server_error", f"The store's web server failed ({answer.status}).")
    if answer.status == 401:
        return refusal(401, {}, shown)
    if answer.status in (404, 410):
        return _nothing_here(answer, shown)
    code, hint = _kind(answer.status, "")
    return Rejected(
        SERVICE,
        code,
        f"The store refused the request ({answer.status}).",
        hint,
        status=answer.status,
        excerpt=shown,
    )


def _nothing_here(answer: Answer, shown: str) -> NotSetUp:
    if is_plain(answer):
        return plain_permalinks(answer.status)
    return NotSetUp(
        SERVICE,
        "html_answer",
        "There is no store API at this address.",
        "Enter the address of the store's front page, and save the permalinks in WordPress once again.",
        status=answer.status,
        excerpt=shown,
    )


def _told(answer: Answer, problem: dict[str, Any]) -> ServiceError:
    status, code = answer.status, str(problem["code"])
    if code == "rest_no_route":
        return _no_route(answer)
    if status in (401, 403):
        return refusal(status, problem, excerpt(answer))
    if status >= 500 and not code.startswith(("woocommerce_rest_", "wc_rest_")):
        return _broken(answer, problem)
    return _rejected(answer, problem)


def _no_route(answer: Answer) -> NotSetUp:
    return NotSetUp(
        SERVICE,
        "no_woocommerce",
        "WordPress answers, but WooCommerce does not.",
        "Activate WooCommerce in the store; version 5.8 or newer is needed.",
        status=answer.status,
        excerpt=excerpt(answer),
    )


def _broken(answer: Answer, problem: dict[str, Any]) -> ServerFault:
    message = plain_text(str(problem.get("message", "")))
    if "database" in message.lower():
        return _fault(answer, "database", "The store cannot reach its database.")
    if problem["code"] == "internal_server_error":
        return _fault(answer, "fatal", "The store broke off with a PHP error.")
    return _fault(answer, "server_error", f"The store failed: {message or problem['code']}")


def _fault(answer: Answer, code: str, sentence: str) -> ServerFault:
    hint = f"{_LATER} If it stays, look into the store's PHP error log."
    return ServerFault(SERVICE, code, sentence, hint, status=answer.status, excerpt=excerpt(answer))


def _rejected(answer: Answer, problem: dict[str, Any]) -> Rejected:
    message = plain_text(str(problem.get("message", ""))).rstrip(".")
    data = problem.get("data")
    params = data.get("params") if isinstance(data, dict) else None
    details = params if isinstance(params, dict) else {}
    code, hint = _kind(answer.status, str(problem["code"]))
    said = "; ".join(str(value).rstrip(".") for value in details.values()) or message
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
        return "too_large", "Raise the web server's limit for the size of a request (client_max_body_size in nginx)."
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
