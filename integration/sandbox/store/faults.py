"""Faults that only a shop has, as recorded (woo:428 to woo:450): by header, by command or by mode."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from integration.sandbox.store.http_messages import HTML, ApiAnswer, ApiRequest
from integration.sandbox.store.problems import Refused

HEADER = "x-test-fault"
CRITICAL = (
    "<p>There has been a critical error on this website.</p><p>"
    '<a href="https://wordpress.org/documentation/article/faq-troubleshooting/">'
    "Learn more about troubleshooting WordPress.</a></p>"
)
NO_DATABASE = "<h1>Error establishing a database connection</h1>"
CLOSED = "Briefly unavailable for scheduled maintenance. Check back in a minute."
WARNING = (
    '<br />\n<b>Warning</b>:  Undefined array key "x" in '
    "<b>/var/www/html/wp-content/plugins/foo/foo.php</b> on line <b>12</b><br />\n"
)
BOT_CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
)
GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
DEADLY = ("fatal", "fatal-mid", "memory", "timelimit")
KINDS = (*DEADLY, "db", "notice", "bom", "rest-disabled", "captcha", "status", "redirect", "truncate", "php-down")


@dataclass
class ShopFault:
    """One injected fault: its kind, for paths that begin so, for so many requests (None for ever)."""

    kind: str
    path: str = ""
    times: int | None = None


class ShopFaults:
    """The faults in force; the header X-Test-Fault of a request works too, as it did on the recorded shop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[ShopFault] = []

    def add(self, kind: str, path: str = "", times: int | None = None) -> ShopFault:
        """Inject a fault; ValueError for a kind that is not known ("status:429" is status with a number)."""
        if kind.partition(":")[0] not in KINDS:
            raise ValueError(f"Unknown fault: {kind}.")
        entry = ShopFault(kind, path, times)
        with self._lock:
            self._faults.append(entry)
        return entry

    def clear(self) -> None:
        """Take all faults out of force."""
        with self._lock:
            self._faults.clear()

    def take(self, request: ApiRequest) -> str:
        """Return the kind that strikes this request, or nothing."""
        if HEADER in request.headers:
            return request.headers[HEADER]
        with self._lock:
            found = next(
                (each for each in self._faults if request.path.startswith(each.path) and each.times != 0), None
            )
            if found and found.times is not None:
                found.times -= 1
        return found.kind if found else ""


def wants_json(request: ApiRequest) -> bool:
    """Say whether WordPress answers a fault in JSON: only when the client says so (woo:448 to woo:450)."""
    return "application/json" in request.headers.get("accept", "")


def died(request: ApiRequest, status: int, code: str, message: str, title: str) -> ApiAnswer:
    """Return WordPress' last words, in JSON or as a page."""
    if wants_json(request):
        body: Any = {"code": code, "message": message, "data": {"status": status}, "additional_errors": []}
        return ApiAnswer(status, body)
    page = f"<!DOCTYPE html>\n<html dir='ltr'>\n<head><title>{title}</title></head>\n<body>{message}</body></html>\n"
    return ApiAnswer(status, page.encode(), kind=HTML)


def closed(request: ApiRequest) -> ApiAnswer:
    """Return what a shop in maintenance says (woo:428, woo:429 and woo:448)."""
    answer = died(request, 503, "wp_die", CLOSED, "Maintenance")
    answer.headers.append(("Retry-After", "600"))
    return answer


def down() -> ApiAnswer:
    """Return what the web server says when PHP is gone (woo:446)."""
    return ApiAnswer(502, GATEWAY.encode(), kind="text/html")


def shut() -> Refused:
    """Make the refusal of a plugin that shuts the REST API (woo:439)."""
    return Refused(401, "rest_cannot_access", "DRA: Only authenticated users can access the REST API.")


def plain_status(status: int) -> ApiAnswer:
    """Return the bare page of a host's limit or firewall (woo:441 to woo:443)."""
    headers = [("Retry-After", "30")] if status == 429 else []
    return ApiAnswer(
        status, f"<html><body><h1>{status}</h1></body></html>".encode(), headers, "text/html;charset=UTF-8"
    )


def instead(kind: str, request: ApiRequest) -> ApiAnswer | None:
    """Return the answer a fault gives in place of the work, or None when the work goes on; may raise Refused."""
    name, _, value = kind.partition(":")
    if name in DEADLY:
        return died(request, 500, "internal_server_error", CRITICAL, "WordPress &rsaquo; Error")
    if name == "db":
        return died(request, 500, "wp_die", NO_DATABASE, "Database Error")
    if name == "rest-disabled":
        raise shut()
    if name == "captcha":
        return ApiAnswer(200, BOT_CHALLENGE.encode(), kind=HTML)
    if name == "status":
        return plain_status(int(value))
    if name == "redirect":
        address = request.home.replace("http://", "https://", 1) + request.target
        return ApiAnswer(301, b"", [("Location", address)], HTML)
    return down() if name == "php-down" else None


def corrupt(kind: str, answer: ApiAnswer) -> ApiAnswer:
    """Damage a good answer: put a warning or a BOM before it, or cut its end off (woo:437, woo:438 and woo:445)."""
    if kind == "notice":
        answer.body = WARNING.encode() + answer.raw()
    elif kind == "bom":
        answer.body = b"\xef\xbb\xbf" + answer.raw()
    elif kind == "truncate":
        whole = answer.raw()
        answer.body = whole[: len(whole) // 2]
    return answer
