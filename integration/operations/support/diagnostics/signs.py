"""Signs in raw answers: who wrote them, what stands in front, and how far the clocks are apart."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from integration.http.transport import Answer
from integration.masking import mask_text
from integration.mautic.answers import first_problem
from integration.operations.support.diagnostics.advice import wait_of
from integration.operations.support.diagnostics.steps import Failed, Finding, excerpt

#: More is worth a warning; OAuth 1.0a signatures over http are refused from 15 minutes on (dossier 8.2).
SKEW_WARNING = timedelta(minutes=5)

#: Dossier M32, W12; recording woo/440.
_WALL = re.compile(
    r"just a moment\.\.\.|attention required! \| cloudflare|checking your browser|cf-challenge|cf_chl_|captcha"
    r"|_incapsula_|sucuri website firewall|ddos protection by|verify you are (?:a )?human|anubis",
    re.IGNORECASE,
)
#: Dossier W13.
_FIREWALL = re.compile(r"mod_?security|not acceptable|wordfence|request blocked|access denied", re.IGNORECASE)
#: Recordings woo/428 and woo/448, localised sites keep the class or the Retry-After.
_MAINTENANCE = re.compile(r"scheduled maintenance|maintenance|briefly unavailable", re.IGNORECASE)
_WORDPRESS = re.compile(r"wp-content|wp-includes|wp-json|api\.w\.org|content=\"WordPress", re.IGNORECASE)


def json_of(answer: Answer) -> Any:
    """Return the answer's JSON, None when it has none."""
    try:
        return answer.json()[0]
    except ValueError:
        return None


def error_code(answer: Answer) -> str:
    """Return WordPress' error code of an answer, "" for any other."""
    value = json_of(answer)
    return str(value.get("code") or "") if isinstance(value, dict) else ""


def said(answer: Answer) -> str:
    """Return the message of WordPress' error, tags stripped, without a full stop."""
    value = json_of(answer)
    message = str(value.get("message") or "") if isinstance(value, dict) else ""
    return excerpt(message).rstrip(".")[:200]


def facts_of(answer: Answer) -> dict[str, Any]:
    """Return status and start of an answer, for whoever wants to see it."""
    return {"status": answer.status, "answer": excerpt(answer.text)}


def is_page(answer: Answer) -> bool:
    """Tell whether the answer is a web page."""
    return "html" in answer.headers.get("content-type", "") or answer.text.lstrip()[:1] == "<"


def of_wordpress(answer: Answer) -> bool:
    """Tell whether a page was made by WordPress."""
    return bool(_WORDPRESS.search(answer.headers.get("link", "") + answer.text[:200_000]))


def refuse_foreign(service: str, answer: Answer) -> None:
    """Raise Failed when the answer is a redirect, a limit, a wall, maintenance or a breakdown."""
    if 300 <= answer.status < 400:
        raise redirect(service, answer)
    if answer.status == 429 or (answer.status == 503 and _is_limit(answer)):
        raise _failed(service, "throttled", answer, wait=wait_of(_seconds(answer)))
    if _is_wall(answer):
        raise _failed(service, "bot_wall", answer)
    if answer.status == 508 or (answer.status >= 500 and "resource limit is reached" in answer.text[:5000].lower()):
        raise _failed(service, "resource_limit", answer)
    # Web servers refuse what a rule forbids with 501 too (dossier W13).
    if answer.status >= 500 and answer.status != 501:
        raise _breakdown(service, answer)
    if json_of(answer) is None:
        _refuse_gate(service, answer)


def _failed(service: str, code: str, answer: Answer, **parts: Any) -> Failed:
    return Failed(service, code, facts=facts_of(answer), **parts)


def _refuse_gate(service: str, answer: Answer) -> None:
    if answer.status == 401 and "www-authenticate" in answer.headers:
        raise _failed(service, "web_login", answer)
    if answer.status in (403, 406, 501) or (answer.status == 405 and _FIREWALL.search(answer.text[:5000])):
        raise _failed(service, "firewall", answer)


def _is_wall(answer: Answer) -> bool:
    if "cf-mitigated" in answer.headers:
        return True
    # A page of the shop may well have a captcha in its form, so a whole shop page is no wall.
    page = is_page(answer) and json_of(answer) is None and not of_wordpress(answer)
    return page and bool(_WALL.search(answer.text[:50_000]))


def _is_limit(answer: Answer) -> bool:
    closed = error_code(answer) == "wp_die" or _MAINTENANCE.search(answer.text[:5000])
    return "retry-after" in answer.headers and not closed


def _seconds(answer: Answer) -> float | None:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdigit() else None


def _breakdown(service: str, answer: Answer) -> Failed:
    text = answer.text[:5000]
    if answer.status == 503 and (error_code(answer) == "wp_die" or _MAINTENANCE.search(text)):
        return _failed(service, "maintenance", answer)
    if "database" in text.lower():
        return _failed(service, "database_down", answer)
    if error_code(answer) == "internal_server_error" or "critical error" in text.lower():
        return _failed(service, "php_fatal", answer)
    if "site is offline" in text.lower():
        return _failed(service, "site_offline", answer)
    if service == "mautic" and first_problem(json_of(answer)) is not None:
        return _failed(service, "crashed", answer)
    code = "gateway" if answer.status in (502, 503, 504) or answer.status >= 520 else "server_fault"
    return _failed(service, code, answer, status=answer.status)


def redirect(service: str, answer: Answer) -> Failed:
    """Return what is wrong with an address that is sent on; the Location is named, its query is not."""
    target = urljoin(answer.url, answer.headers.get("location", ""))
    code = _redirect_code(answer.url, target)
    shown = mask_text(_without_query(target))[:200]
    return _failed(service, code, answer, target=shown or "nowhere", suggestion=_base(shown))


def _redirect_code(url: str, target: str) -> str:
    old, new = urlsplit(url), urlsplit(target)
    if not new.netloc or target.split("#")[0] == url:
        return "redirect_loop" if new.netloc else "redirected"
    names = [(part.hostname or "").removeprefix("www.") for part in (old, new)]
    if names[0] != names[1]:
        return "redirected"
    if (old.scheme, new.scheme) == ("http", "https"):
        return "redirect_https"
    return "redirect_www" if old.hostname != new.hostname else "redirected"


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _base(url: str) -> str:
    return re.sub(r"/(?:index\.php/)?(?:wp-json|api)(?:/.*)?$", "", url).rstrip("/")


def warn_of_print(service: str, finding: Finding, answer: Answer) -> None:
    """Add a warning when something stands before the JSON (recordings woo/437, woo/438; dossier M35, W17)."""
    if json_of(answer) is None or answer.json()[1]:
        return
    bare = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    finding.warn(service, "bom" if bare else "php_notice")


def cached(answer: Answer) -> bool:
    """Tell whether a cache in front gave the answer instead of the site (dossier W22)."""
    told = " ".join(answer.headers.get(name, "") for name in _CACHES)
    return bool(re.search(r"\bhit\b", told, re.IGNORECASE)) or answer.headers.get("age", "0").strip() not in ("", "0")


_CACHES = ("cf-cache-status", "x-cache", "x-cache-status", "x-litespeed-cache", "x-proxy-cache", "x-varnish-cache")


def skew(answer: Answer, now: datetime) -> timedelta | None:
    """Return by how much the other clock is ahead, from the Date header; None without one."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")) - now
    except (ValueError, TypeError):
        return None


def warn_of_clock(service: str, finding: Finding, answer: Answer, now: datetime) -> None:
    """Add a warning when the clocks are more than five minutes apart."""
    ahead = skew(answer, now)
    if ahead is not None and abs(ahead) > SKEW_WARNING:
        direction = "ahead" if ahead > timedelta(0) else "behind"
        finding.warn(service, "clock_skew", minutes=minutes(ahead), direction=direction)


def minutes(ahead: timedelta) -> int:
    """Return the distance of two clocks in whole minutes."""
    return round(abs(ahead).total_seconds() / 60)


def of_mautic(answer: Answer) -> bool:
    """Tell by the header, or by an error as Mautic's kernel words it: {message, code, type} (001, 355, 063)."""
    if "mautic-version" in answer.headers:
        return True
    problem = first_problem(json_of(answer))
    return problem is not None and problem.kernel and (problem.code == answer.status or bool(problem.type))
