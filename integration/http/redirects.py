"""What kind of redirect an answer is, and where it leads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from integration.http.transport import Answer
from integration.masking import mask_text

_LOGIN = re.compile(r"wp-login\.php|/s/login|/(?:log|sign)-?in\b|/sso\b|/oauth2?/(?:start|authorize)", re.IGNORECASE)
_LANGUAGE = re.compile(r"/[a-z]{2}(?:[-_][a-z]{2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a redirect leads, without its query."""

    shown: str
    suggestion: str


def _target(answer: Answer) -> str:
    return urljoin(answer.url, answer.headers.get("location", "")) if answer.headers.get("location") else ""


def redirect_kind(answer: Answer) -> str:
    """Return the kind of a redirect by where it leads: loop, login, slash, https, www, language or elsewhere."""
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


def leads_to(answer: Answer) -> Target:
    """Return where a redirect leads, secrets masked, and the address to enter instead."""
    parts = urlsplit(_target(answer))
    shown = mask_text(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")))[:200]
    base = re.sub(r"/(?:index\.php/)?(?:wp-json|api)(?:/.*)?$", "", shown).rstrip("/")
    return Target(shown or "nowhere", base or "another one")
