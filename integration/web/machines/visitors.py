"""Who calls without a name: a person's browser, or a program."""

from __future__ import annotations

import re

from flask import request

#: Programs that visit shops or look into mails without buying; what else calls itself so is none of ours to tell.
_BOTS = re.compile(
    r"bot\b|crawl|spider|slurp|preview|headlesschrome-lighthouse|facebookexternalhit|googleimageproxy|mimecast|proofpoint"
    r"|barracuda|safelinks|urlscan|virustotal|^(?:curl|wget|python|go-http-client|java|okhttp|libwww|axios)\b",
    re.IGNORECASE,
)


def is_program() -> bool:
    """Tell whether a known program asks, or one that asks for headers alone."""
    return request.method == "HEAD" or bool(_BOTS.search(request.user_agent.string))


def is_person() -> bool:
    """Tell whether a person looks at the answer: no program, nameless or not, and no browser that asks ahead."""
    ahead = "prefetch" in (request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")).lower()
    return bool(request.user_agent.string) and not is_program() and not ahead
