"""The first part of the table of foreign answers: redirects, and what stands in front of a service."""

from __future__ import annotations

from integration.errors import NotSetUp, Rejected
from integration.http.marks import (
    FAULTS,
    FOREIGN,
    GOOD,
    NO_JSON,
    PAGE,
    REDIRECTS,
    REFUSALS,
    Mark,
    Signature,
)

_NEVER = "credentials are never sent after a redirect"
_LET_PASS = "Allow this server's IP address there, or exempt {paths} from its rules"

_REDIRECTS = (
    Signature(
        "plain_permalinks",
        NotSetUp,
        "The store's permalinks are set to “Plain” (plain permalinks), so its REST API cannot be used.",
        "In WordPress open Settings, Permalinks, choose “Post name” and save.",
        ("W10",),
        (
            Mark("slash added", REDIRECTS, redirect="slash"),
            Mark("link header", (*GOOD, 404, 410), NO_JSON, header=("link", r"rest_route=[^,]*api\.w\.org")),
        ),
        "store",
    ),
    Signature(
        "redirect_loop",
        NotSetUp,
        "{name} sends on to the very same address ({target}) without end.",
        "A proxy in front ends TLS and {name} does not know: pass X-Forwarded-Proto on and trust the proxy there.",
        ("W14", "M12"),
        (Mark("same address", REDIRECTS, redirect="loop"),),
    ),
    Signature(
        "redirect_login",
        NotSetUp,
        "{name} sends requests on to a page where people sign in: {target}.",
        f"Let requests to {{paths}} pass without that login; {_NEVER}.",
        ("W14", "W16"),
        (Mark("login page", REDIRECTS, redirect="login"),),
    ),
    Signature(
        "redirect_https",
        NotSetUp,
        "{name} sends on to https: {target}.",
        f"Enter {{suggestion}} as {{place}}; {_NEVER}.",
        ("W14", "M11"),
        (Mark("https", REDIRECTS, redirect="https"),),
    ),
    Signature(
        "redirect_www",
        NotSetUp,
        "{name} sends on to another form of its name: {target}.",
        f"Enter {{suggestion}} as {{place}}; {_NEVER}.",
        ("W14",),
        (Mark("www", REDIRECTS, redirect="www"),),
    ),
    Signature(
        "redirect_language",
        NotSetUp,
        "{name} sends on to a page in one language: {target}.",
        f"Exempt {{paths}} from the redirects of the language plugin; {_NEVER}.",
        ("W14",),
        (Mark("language", REDIRECTS, redirect="language"),),
    ),
    Signature(
        "redirected",
        NotSetUp,
        "{name} sends on to {target}.",
        f"Enter the address where it really is ({{suggestion}}); {_NEVER}.",
        ("W14",),
        (Mark("elsewhere", REDIRECTS),),
    ),
)

#: Words of walls that no page of a site has; a wall that a plugin makes wears the site's own look.
_WALL = (
    r"cf-chl|cf_chl_|cf-challenge|checking your browser|_incapsula_|verify you are (?:a )?human|"
    r"(?:request|browser|connection) is being verified|sucuri website firewall"
)
_CHALLENGE = (
    rf"{_WALL}|just a moment|one moment, please|challenge-platform|captcha|attention required! \||"
    r"ddos protection by|anubis"
)
_RULE = (
    r"mod_?security|not acceptable!|wordfence|imunify|request blocked|access denied|sorry, you have been blocked|"
    r"has been limited by the site owner|web application firewall|error code: 1020"
)

_IN_FRONT = (
    Signature(
        "bot_wall",
        NotSetUp,
        "A wall against bots in front of {name} answers instead of it.",
        f"{_LET_PASS} (Cloudflare: WAF, skip rule).",
        ("W12", "M32"),
        (
            Mark("cf-mitigated", header=("cf-mitigated", ".")),
            Mark("challenge", (*GOOD, 403, 405, 406, 415, 418, *FAULTS), PAGE, _CHALLENGE, wordpress=False),
            Mark("wall in the site's look", (*GOOD, *REFUSALS, *FAULTS), PAGE, _WALL),
        ),
    ),
    Signature(
        "suspended",
        NotSetUp,
        "The host has suspended the account of {name}.",
        "Ask the host why; nothing can be read until the account is open again.",
        ("W16", "M13"),
        (Mark("account suspended", forms=PAGE, body=r"account (?:has been )?suspended"),),
    ),
    Signature(
        "firewall",
        NotSetUp,
        "A firewall, or a rule of the web server, in front of {name} refuses the request ({status}).",
        f"{_LET_PASS}.",
        ("W13", "M32"),
        (
            Mark("rule named", (403, 405, 406, 409, 415, 418, 429, 501, 503), ("page", "text"), _RULE),
            Mark(
                "imunify json", (*GOOD, 403, 415, 429), ("json",), r'^\s*\{\s*"message"\s*:\s*"access denied by imunify'
            ),
            Mark("refused", (403, 406, 415, 418), NO_JSON),
        ),
    ),
    Signature(
        "web_login",
        NotSetUp,
        "The web server in front of {name} asks for a password of its own.",
        "Let requests to {paths} pass without it.",
        ("W16", "M13"),
        (
            Mark("basic auth", (401,), ("page", "text"), header=("www-authenticate", ".")),
            Mark("page", (401, 407), PAGE),
        ),
    ),
    Signature(
        "method_blocked",
        NotSetUp,
        "The web server in front of Mautic does not allow this kind of request.",
        "Allow PATCH, PUT and DELETE for /api there.",
        ("M33",),
        (Mark("method", (405, 501), NO_JSON),),
        "mautic",
    ),
    Signature(
        "firewall",
        NotSetUp,
        "A firewall, or a rule of the web server, in front of {name} refuses the request ({status}).",
        f"{_LET_PASS}.",
        ("W13",),
        (Mark("method", (405, 501), NO_JSON),),
        "store",
    ),
    Signature(
        "too_large",
        Rejected,
        "The web server in front of {name} refuses requests of this size (413).",
        "Raise its limit for the size of a request (client_max_body_size in nginx).",
        ("W30",),
        (Mark("size", (413,), FOREIGN),),
    ),
)

FRONT = (*_REDIRECTS, *_IN_FRONT)
