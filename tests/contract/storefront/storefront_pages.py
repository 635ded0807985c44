"""A visitor who opens the recorded pages, and how a page is held against the parts of one that were recorded.

Of a page only parts were kept. Every whole tag and text of a part must stand in ours, in the same sequence; left out
are the theme's own boxes, styles and scripts, which stand for nothing of the shop.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from storefront_recordings import HOME, Recording, recording, said
from storefront_shopper import Reply, Shopper

THEMES = re.compile(r"wp-block-group|alternate|wp-content|</?style|speculationrules|^</script|^</noscript")
KEPT = (
    "Location",
    "Cache-Control",
    "Expires",
    "X-Frame-Options",
    "Content-Security-Policy",
    "X-Robots-Tag",
    "X-Content-Type-Options",
    "X-Redirect-By",
)
SECRETS = (
    (r"wc_order_\w{13}", "wc_order_*"),
    (r"session=[\w.*-]+", "session=*"),
    (r"\*\*\*NONCE\*\*\*", "*"),
    (r"(?<=[\"'])[0-9a-f]{10}(?=[\"'])", "*"),
    (r"(?<=NonceTimestamp: ')\d+", "*"),
)


def tokens(html: str, home: str = "") -> list[str]:
    """Return the tags and texts of a page, blanks squeezed, secrets and addresses made the same."""
    if home:
        html = html.replace(home, HOME)
    for pattern, mask in SECRETS:
        html = re.sub(pattern, mask, html)
    parts = (re.sub(r"\s+", " ", part).strip() for part in re.split(r"(<[^<>]*>)", html))
    return [_plain(part) for part in parts if part and not THEMES.search(part)]


def _plain(part: str) -> str:
    text = unescape(part).replace("\xa0", " ")
    return re.sub(r" (/?)>$", r"\1>", text) if part.startswith("<") else text.strip()


def excerpts(recorded: Recording) -> list[list[str]]:
    """Return the recorded parts of a page, without what was cut at their ends."""
    body = re.sub(r"^<!-- excerpts only[^>]*-->", "", recorded.response["body"])
    parts = [part.strip() for part in body.split("<!-- ... -->")]
    return [_whole(part) for part in parts if part]


def _whole(part: str) -> list[str]:
    start = 0 if part.startswith("<") else part.find(">") + 1 if "<" in part else 0
    end = part.rfind(">") + 1
    if "wcBlocksMiddlewareConfig" in part or "wc_checkout_params" in part:
        start = part.find("var ")
    return tokens(part[start:end])


def missing(ours: list[str], wanted: list[str]) -> str:
    """Return the first recorded token that does not stand in ours where it should, or nothing."""
    rest = iter(ours)
    return next((each for each in wanted if each not in rest), "")


class Visitor(Shopper):
    """A browser that opens recorded pages; secrets of the recording are replaced by our own."""

    def open(self, number: int, **ours: str) -> Reply:
        """Send a recorded request of a page; `ours` are an order's key, id and so on in place of the recorded."""
        recorded = recording(number)
        names = ("Accept", "Content-Type", "User-Agent")
        headers = {name: value for name in names if (value := recorded.asked(name)) is not None}
        headers |= {"Cookie": self.cookie} if recorded.asked("Cookie") else {}
        return self.send(
            recorded.request["method"], _own(recorded.path, ours), _own(recorded.request["body"], ours), headers
        )

    def hold(self, number: int, **ours: str) -> Reply:
        """Open a recorded page and compare status, headers and what was recorded of the page."""
        reply = self.open(number, **ours)
        recorded = recording(number)
        home = self.server.url
        assert reply.status == recorded.response["status"], reply.text
        self.hold_headers(number, reply)
        page = tokens(reply.text, home)
        for part in excerpts(recorded):
            assert not (lost := missing(page, part)), (number, lost, page)
        return reply

    def hold_headers(self, number: int, reply: Reply) -> None:
        """Compare the headers of an answer with those that were recorded."""
        wanted = page_said([(name, value) for name, value in recording(number).response["headers"]], HOME)
        assert page_said(reply.headers, self.server.url) == wanted


def _own(text: str | None, ours: dict[str, str]) -> Any:
    if text is None:
        return None
    text = re.sub(r"wc_order_\w{13}", ours.get("key", "wc_order_"), text)
    text = text.replace("***CART-TOKEN***", ours.get("token", ""))
    text = text.replace("***NONCE***", ours.get("nonce", ""))
    return re.sub(r"security=\w+", f"security={ours.get('security', '')}", text)


def page_said(headers: list[tuple[str, str]], home: str) -> dict[str, Any]:
    """Return the headers of a page that matter, its kind, its links and its cookies."""
    found: dict[str, Any] = {name: _masked(value, home) for name, value in headers if name in KEPT}
    found["links"] = [value.replace(home, HOME) for name, value in headers if name == "Link"]
    found["kind"] = next(value for name, value in headers if name == "Content-Type").lower()
    # A slow answer of the recorded shop had used up a second of its cookie's two days.
    cookies = [each.replace("172799", "172800") for each in said(headers, home)["cookies"]]
    return found | {"cookies": cookies}


def _masked(text: str, home: str) -> str:
    for pattern, mask in SECRETS[:2]:
        text = re.sub(pattern, mask, text)
    return text.replace(home, HOME)
