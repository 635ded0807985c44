"""The one judge of answers that stand in front of a service, or come in its place.

Sync, holds and alerts, and the connection test all ask here, so they say the same of the same answer. What the service
itself says (WordPress' and Mautic's JSON) is left to integration.store.answers and integration.mautic.answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from integration import words
from integration.errors import ServiceError, Throttled
from integration.http.marks import Form, Mark, Signature
from integration.http.signatures import SIGNATURES, TEXTS
from integration.http.transport import Answer
from integration.masking import mask_text

RETRY_AFTER_MAX_S = 24 * 3600.0
NAMES = {"store": "the store", "mautic": "Mautic"}
PLACES = {"store": "the store's address", "mautic": "Mautic's address"}
PATHS = {"store": "/wp-json/*", "mautic": "/api/* and /oauth/*"}
#: Codes of answers that may mean only that the address is not quite right, so that it is worth looking elsewhere.
ELSEWHERE = frozenset(
    {"plain_permalinks", "html_answer", "not_wordpress", "mautic_as_store", "not_mautic", "store_as_mautic"}
)
#: Characters of a body in which signatures are looked for; those of a page's maker stand in long heads.
_SEARCHED, _SEARCHED_FOR_WORDPRESS = 50_000, 200_000
_WORDPRESS = re.compile(r"wp-content|wp-includes|wp-json|api\.w\.org|content=\"WordPress", re.IGNORECASE)
_PAGE = re.compile(r"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|\?xml|html|head|body|title|h1)\b", re.I | re.S)
_LOGIN = re.compile(r"wp-login\.php|/s/login|/(?:log|sign)-?in\b|/sso\b|/oauth2?/(?:start|authorize)", re.IGNORECASE)
_LANGUAGE = re.compile(r"/[a-z]{2}(?:[-_][a-z]{2})?", re.IGNORECASE)


def judge(service: str, answer: Answer, now: datetime | None = None) -> ServiceError | None:
    """Return the error of an answer that "store" or "mautic" did not write itself, None for one in its own words.

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
    row = next(row for row in SIGNATURES if row.code == code)
    return _error(row, service, answer, None)


def texts_of(service: str, code: str, **parts: object) -> tuple[str, str]:
    """Return (sentence, what to do) of a row, its gaps filled with `parts`; raises KeyError for an unknown code."""
    known = {"name": NAMES[service], "place": PLACES[service], "paths": PATHS[service], **parts}
    sentence, hint = (text.format(**known) for text in TEXTS[code])
    return _capital(sentence), _capital(hint)


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


class _Seen:
    """An answer as the marks of the table look at it."""

    def __init__(self, service: str, answer: Answer) -> None:
        self.answer = answer
        self.form: Form = _form(service, answer)
        self.head = answer.text[:_SEARCHED]
        self.redirect = _redirect_kind(answer) if 300 <= answer.status < 400 else ""

    def shows(self, mark: Mark) -> bool:
        """Tell whether everything that a mark asks for is there."""
        answer = self.answer
        if answer.status not in mark.statuses or self.form not in mark.forms:
            return False
        if mark.redirect and mark.redirect != self.redirect:
            return False
        if mark.header and not re.search(mark.header[1], answer.headers.get(mark.header[0], "")):
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


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a redirect leads, without its query."""

    shown: str
    suggestion: str


def _target(answer: Answer) -> str:
    return urljoin(answer.url, answer.headers.get("location", "")) if answer.headers.get("location") else ""


def _redirect_kind(answer: Answer) -> str:
    target, asked = _target(answer), answer.url
    old, new = urlsplit(asked), urlsplit(target)
    if not new.netloc:
        return "elsewhere"
    if old[:3] == new[:3]:
        return "loop"
    if _LOGIN.search(new.path):
        return "login"
    same_host = old.hostname == new.hostname
    if same_host and old.scheme == new.scheme and new.path == f"{old.path}/":
        return "slash"
    if _bare(old.hostname) != _bare(new.hostname):
        return "elsewhere"
    if (old.scheme, new.scheme) == ("http", "https"):
        return "https"
    if not same_host:
        return "www"
    prefix = new.path.rstrip("/").removesuffix(old.path.rstrip("/"))
    return "language" if prefix != new.path.rstrip("/") and _LANGUAGE.fullmatch(prefix) else "elsewhere"


def _bare(host: str | None) -> str:
    return (host or "").removeprefix("www.")


def _leads_to(answer: Answer) -> _Target:
    parts = urlsplit(_target(answer))
    shown = mask_text(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")))[:200]
    base = re.sub(r"/(?:index\.php/)?(?:wp-json|api)(?:/.*)?$", "", shown).rstrip("/")
    return _Target(shown or "nowhere", base or "another one")


def _error(row: Signature, service: str, answer: Answer, now: datetime | None) -> ServiceError:
    wait = retry_after(answer.headers, now)
    target = _leads_to(answer)
    sentence, hint = texts_of(
        service,
        row.code,
        status=answer.status,
        wait=wait_of(wait),
        target=target.shown,
        suggestion=target.suggestion,
        content_type=answer.headers.get("content-type", "").partition(";")[0].strip()[:60] or "no content type",
        words=_first_words(answer),
    )
    if row.kind is Throttled:
        return Throttled(service, row.code, sentence, hint, status=answer.status, retry_after=wait)
    shown = mask_text(answer.text[:1000])
    return row.kind(service, row.code, sentence, hint, status=answer.status, excerpt=shown)


def _first_words(answer: Answer) -> str:
    plain = re.sub(r"<(script|style)\b.*?(</\1>|$)|<[^>]*>", " ", answer.text[:5000], flags=re.DOTALL | re.IGNORECASE)
    return mask_text(" ".join(plain.split()))[:80]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
