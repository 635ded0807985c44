"""The one judge of answers other than results: what stands in front of a service or in its place, and its refusals.

Sync, holds and alerts, and the connection test all ask here, so they say the same of the same answer. A verdict is an
error with its code, sentence, hint and blame. What only a reader of records knows (a store's refusal of one record) is
left to integration.store.answers; integration.mautic.answers reads Mautic's own errors and takes their rows from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

from integration import words
from integration.errors import ServiceError, Throttled
from integration.http.marks import Form, Mark, Signature
from integration.http.redirects import leads_to, redirect_kind
from integration.http.signatures import SIGNATURES, TEXTS
from integration.http.transport import Answer
from integration.masking import mask_text

RETRY_AFTER_MAX_S = 24 * 3600.0
NAMES = {"store": "the store", "mautic": "Mautic"}
PLACES = {"store": "the store's address", "mautic": "Mautic's address"}
PATHS = {"store": "/wp-json/*", "mautic": "/api/* and /oauth/*"}
LOGS = {
    "store": "PHP error log, and WooCommerce, Status, Logs in WordPress",
    "mautic": "Mautic's var/logs, and PHP error log",
}
#: Codes of answers that may mean only that the address is not quite right, so that it is worth looking elsewhere.
ELSEWHERE = frozenset(
    {
        "plain_permalinks",
        "html_answer",
        "no_woocommerce",
        "not_wordpress",
        "mautic_as_store",
        "not_mautic",
        "store_as_mautic",
    }
)
#: Characters of a body in which signatures are looked for; those of a page's maker stand in long heads.
_SEARCHED, _SEARCHED_FOR_WORDPRESS = 50_000, 200_000
_WORDPRESS = re.compile(r"wp-content|wp-includes|wp-json|api\.w\.org|content=\"WordPress", re.IGNORECASE)
_PAGE = re.compile(r"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|\?xml|html|head|body|title|h1)\b", re.I | re.S)


def judge(service: str, answer: Answer, now: datetime | None = None) -> ServiceError | None:
    """Return the error of an answer of "store" or "mautic", None for a result.

    None, too, for a refusal of one record and for Mautic's own errors: their readers word them.

    `now` is needed for the dates in Retry-After of servers that send no Date.
    """
    found = row_of(service, answer)
    return None if found is None else _error(found[0], service, answer, now)


def row_of(service: str, answer: Answer) -> tuple[Signature, Mark] | None:
    """Return the row of the table, and the mark of it, that an answer shows."""
    seen = _Seen(service, answer)
    if seen.form == "own" and 200 <= answer.status < 300:
        return None
    for row in SIGNATURES:
        if row.scope in (service, "both"):
            for mark in row.marks:
                if seen.shows(mark):
                    return row, mark
    return None


def error_of(code: str, service: str, answer: Answer) -> ServiceError:
    """Return the error of the row with this code, for an answer that its reader found to be of that kind."""
    return _error(_row(code, service), service, answer, None)


def error_named(
    code: str, service: str, *, status: int | None = None, excerpt: str = "", **parts: object
) -> ServiceError:
    """Return the error of the row with this code where there is no answer to look at, its gaps filled with `parts`.

    Raises KeyError for a code that is not in the table, and for a gap that nobody filled.
    """
    row = _row(code, service)
    error = row.kind(service, code, *texts_of(service, code, status=status, **parts), status=status, excerpt=excerpt)
    error.blame = row.blame
    return error


def _row(code: str, service: str) -> Signature:
    found = (row for row in SIGNATURES if row.code == code and row.scope in (service, "both"))
    row = next(found, None)
    if row is None:
        raise KeyError(code)
    return row


def texts_of(service: str, code: str, **parts: object) -> tuple[str, str]:
    """Return (sentence, what to do) of a row, its gaps filled with `parts`; raises KeyError for an unknown code."""
    known = {**gaps_of(service), **parts}
    sentence, hint = (text.format(**known) for text in TEXTS[code])
    return _capital(sentence), _capital(hint)


def gaps_of(service: str) -> dict[str, object]:
    """Return what fills the gaps of texts that are the same for every answer of a service."""
    return {"name": NAMES[service], "place": PLACES[service], "paths": PATHS[service], "log": LOGS[service]}


def wait_of(seconds: float | None) -> str:
    """Return " 30 seconds" or " 5 minutes" for a sentence, "" when it was not said."""
    return f" {words.wait(seconds)}" if seconds else ""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds to wait, at most a day, None when the answer does not say.

    Taken from Retry-After (a number or a date) or X-RateLimit-Reset (mautic:359); headers have lower-case names.
    """
    seconds = _seconds(headers, _date(headers.get("date", "")) or now)
    return None if seconds is None else min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _seconds(headers: Mapping[str, str], now: datetime | None) -> float | None:
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", told):
        return float(told)
    if told:
        until = _date(told)
        return (until - now).total_seconds() if until and now else None
    reset = headers.get("x-ratelimit-reset", "").strip()
    if not re.fullmatch(r"[0-9]+", reset):
        return None
    # A reset of less than a year is a number of seconds: some proxies write it so.
    if float(reset) < 31_536_000:
        return float(reset)
    return float(reset) - now.timestamp() if now else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None


def is_page(answer: Answer) -> bool:
    """Tell whether the body is a page for people; a PHP warning in front of something is none."""
    return bool(_PAGE.match(answer.text[:2000]))


def of_wordpress(answer: Answer) -> bool:
    """Tell whether a page was made by WordPress."""
    return bool(_WORDPRESS.search(answer.headers.get("link", "") + answer.text[:_SEARCHED_FOR_WORDPRESS]))


def own_words(answer: Answer) -> tuple[str, str]:
    """Return (code, message) of a store's own error, the message without tags and full stop, "" where there is none."""
    try:
        value = answer.json()[0]
    except ValueError:
        return "", ""
    if not isinstance(value, dict) or not isinstance(value.get("code"), str):
        return "", ""
    return value["code"], _plain(str(value.get("message") or "")).rstrip(".")


class _Seen:
    """An answer as the marks of the table look at it."""

    def __init__(self, service: str, answer: Answer) -> None:
        self.answer = answer
        self.form: Form = _form(service, answer)
        self.head = answer.text[:_SEARCHED]
        self.redirect = redirect_kind(answer) if 300 <= answer.status < 400 else ""
        self.code, self.said = own_words(answer) if service == "store" else ("", "")

    def shows(self, mark: Mark) -> bool:
        """Tell whether everything that a mark asks for is there."""
        answer = self.answer
        if answer.status not in mark.statuses or self.form not in mark.forms:
            return False
        if mark.redirect and mark.redirect != self.redirect:
            return False
        if mark.header and not re.search(mark.header[1], answer.headers.get(mark.header[0], "")):
            return False
        if mark.code and not (self.code and re.fullmatch(mark.code, self.code)):
            return False
        if mark.said and not re.search(mark.said, self.said, re.IGNORECASE):
            return False
        if mark.body and not re.search(mark.body, self.head, re.IGNORECASE | re.DOTALL):
            return False
        return mark.wordpress is None or mark.wordpress == of_wordpress(answer)


def _form(service: str, answer: Answer) -> Form:
    if not answer.text.strip():
        # Mautic 7 refuses a password without a word: 401, no body, WWW-Authenticate.
        mautic = service == "mautic" and answer.status == 401 and "www-authenticate" in answer.headers
        return "own" if mautic else "empty"
    try:
        value = answer.json()[0]
    except ValueError:
        return "page" if _looks_like_page(answer) else "text"
    return "own" if _is_own(service, answer, value) else "json"


def _looks_like_page(answer: Answer) -> bool:
    return is_page(answer) or ("html" in answer.headers.get("content-type", "") and answer.text.lstrip()[:1] == "<")


def _is_own(service: str, answer: Answer, value: Any) -> bool:
    if 200 <= answer.status < 300:
        return not (isinstance(value, dict) and set(value) == {"message"})
    if not isinstance(value, dict):
        return False
    if service == "store":
        return isinstance(value.get("code"), str)
    return bool(value.get("errors")) or isinstance(value.get("error"), str)


def _error(row: Signature, service: str, answer: Answer, now: datetime | None) -> ServiceError:
    wait = retry_after(answer.headers, now)
    parts = {**_parts(service, answer), "wait": wait_of(wait)}
    if row.kind is not Throttled:
        shown = mask_text(answer.text[:1000])
        return error_named(row.code, service, status=answer.status, excerpt=shown, **parts)
    texts = texts_of(service, row.code, status=answer.status, **parts)
    error = Throttled(service, row.code, *texts, status=answer.status, retry_after=wait)
    error.blame = row.blame
    return error


def _parts(service: str, answer: Answer) -> dict[str, object]:
    """Return what fills the gaps of a row's texts, as the answer tells it."""
    target = leads_to(answer)
    code, said = own_words(answer) if service == "store" else ("", "")
    return {
        "target": target.shown,
        "suggestion": target.suggestion,
        "content_type": answer.headers.get("content-type", "").partition(";")[0].strip()[:60] or "no content type",
        "words": _plain(answer.text[:5000])[:80],
        "said": said or code,
        "reason": f"{code}: {said}" if code else answer.status,
        "fault": f"status {answer.status}: {said}" if said else f"status {answer.status}",
        "areas": _area(answer),
        "minutes": "more than 15",
    }


def _area(answer: Answer) -> str:
    """Return the part of WooCommerce's API that was asked for, such as "orders"."""
    found = re.search(r"/wc/v3/([a-z_]+)", answer.url)
    return found[1].replace("_", " ") if found else "this"


def _plain(html: str) -> str:
    """Return the words of a text without tags and secrets, at most 300 characters."""
    plain = re.sub(r"<(script|style)\b.*?(</\1>|$)|<[^>]*>", " ", html, flags=re.DOTALL | re.IGNORECASE)
    return mask_text(" ".join(unescape(plain).split()))[:300]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
