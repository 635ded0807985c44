"""Signs in raw answers: who wrote them, what stands in front, and how far the clocks are apart."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from integration.http import upstream
from integration.http.transport import Answer
from integration.mautic.answers import first_problem
from integration.operations.support.diagnostics.steps import Finding, excerpt

#: More is worth a warning; OAuth 1.0a signatures over http are refused from 15 minutes on (dossier 8.2).
SKEW_WARNING = timedelta(minutes=5)


def json_of(answer: Answer) -> Any:
    """Return the answer's JSON, None when it has none."""
    try:
        return answer.json()[0]
    except ValueError:
        return None


def facts_of(answer: Answer) -> dict[str, Any]:
    """Return status and start of an answer, for whoever wants to see it."""
    return {"status": answer.status, "answer": excerpt(answer.text)}


def refuse_foreign(service: str, answer: Answer) -> None:
    """Raise the error of an answer that something else gave; not of one that asks for a look at another address."""
    error = upstream.judge(service, answer)
    if error is not None and error.code not in upstream.ELSEWHERE:
        raise error


def warn_of_print(service: str, finding: Finding, answer: Answer) -> None:
    """Add a warning when something stands around the JSON (recordings woo/437, woo/438; dossier M35, W17)."""
    if json_of(answer) is None or answer.json()[1]:
        return
    mark = b"\xef\xbb\xbf"
    marked = answer.body.startswith(mark) and answer.body.removeprefix(mark).lstrip()[:1] in (b"{", b"[")
    finding.warn(service, "bom" if marked else "php_notice")


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
    """Tell by the header, or by an error as Mautic's kernel words it: {message, code, type}.

    Recorded as mautic:001, mautic:355, mautic:063. Mautic 7 refuses without a word: 401, an empty body and
    WWW-Authenticate.
    """
    wordless = answer.status == 401 and not answer.body.strip() and "www-authenticate" in answer.headers
    if wordless or "mautic-version" in answer.headers:
        return True
    problem = first_problem(json_of(answer))
    return problem is not None and problem.kernel and (problem.code == answer.status or bool(problem.type))
