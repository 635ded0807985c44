"""What stands in front of a store and answers in its place: redirects, bot walls, firewalls, pages for people."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from integration.errors import NotSetUp
from integration.http.transport import Answer
from integration.store.access import SERVICE, plain_permalinks

_PAGE = re.compile(r"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_WALL = re.compile(
    r"just a moment|checking your browser|cf-chl|challenge-platform|captcha|attention required|_incapsula_|"
    r"verify you are (?:a )?human|ddos protection",
    re.IGNORECASE,
)
_FIREWALL = re.compile(r"mod_security|modsecurity|not acceptable|wordfence|blocked|firewall", re.IGNORECASE)


def is_page(answer: Answer) -> bool:
    """Tell whether the body is a page for people; a PHP warning in front of something is none."""
    return bool(_PAGE.match(answer.text[:2000]))


def is_plain(answer: Answer) -> bool:
    """Tell whether the Link header leads to the ?rest_route= form: plain permalinks (recordings 413, 415, 416)."""
    link = answer.headers.get("link", "")
    return "api.w.org" in link and "rest_route=" in link


def redirected(answer: Answer) -> NotSetUp:
    """Return the error of a 3xx: it is never followed, for the key would travel along (recordings 414, 444)."""
    target = urljoin(answer.url, answer.headers.get("location", "")).partition("?")[0]
    asked = answer.url.partition("?")[0]
    if target == f"{asked}/":
        return plain_permalinks(answer.status)
    return NotSetUp(
        SERVICE,
        "redirect",
        f"The store sends requests on to {target or 'another address'}.",
        _moved_hint(asked, target),
        status=answer.status,
    )


def _moved_hint(asked: str, target: str) -> str:
    one, other = urlsplit(asked), urlsplit(target)
    if (one.scheme, one.netloc) == (other.scheme, other.netloc):
        return "Enter the address of the store's front page as the browser shows it."
    return f"Enter {other.scheme}://{other.netloc} as the store's address."


def walled(answer: Answer, excerpt: str) -> NotSetUp | None:
    """Return the error of a bot wall or firewall, None where there is none (recordings 440 and 442)."""
    head = answer.text[:20000]
    if "cf-mitigated" in answer.headers or (is_page(answer) and answer.status != 429 and _WALL.search(head)):
        return NotSetUp(
            SERVICE,
            "bot_wall",
            "A bot wall in front of the store answers instead of it.",
            "Let this server's address, or the path /wp-json/, pass the wall (Cloudflare, captcha plugin, host).",
            status=answer.status,
            excerpt=excerpt,
        )
    if answer.status in (403, 405, 406, 415, 418, 501) or (answer.status == 401 and is_page(answer)):
        return _firewall(answer, head, excerpt)
    return None


def _firewall(answer: Answer, head: str, excerpt: str) -> NotSetUp:
    if answer.status == 401 or "www-authenticate" in answer.headers:
        return NotSetUp(
            SERVICE,
            "server_password",
            "The web server asks for a password of its own before the store.",
            "Take the password protection off the path /wp-json/.",
            status=answer.status,
            excerpt=excerpt,
        )
    who = "A firewall" if _FIREWALL.search(head) else "The web server"
    return NotSetUp(
        SERVICE,
        "firewall",
        f"{who} in front of the store refuses the request ({answer.status}).",
        "Ask the host to let this server's requests to /wp-json/ pass.",
        status=answer.status,
        excerpt=excerpt,
    )


def page_instead(answer: Answer, excerpt: str) -> NotSetUp:
    """Return the error of a page where JSON should be (recordings 211, 212 and 413)."""
    if is_plain(answer):
        return plain_permalinks(answer.status)
    return NotSetUp(
        SERVICE,
        "html_answer",
        "The address answers with a web page, not with the store's API.",
        "Enter the address of the store's front page. If it is right, look for a maintenance or login page.",
        status=answer.status,
        excerpt=excerpt,
    )
