"""What large hostile bodies and answers leave in a process: its resident size after many of them."""

from __future__ import annotations

import http.client
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from integration.http.transport import LARGEST_ANSWER
from integration.json_text import ANSWER_VALUES_MAX, BODY_VALUES_MAX
from integration.operations.identity import tokens
from integration.web.frame.security import LARGEST_BODY
from tests.bench import resident
from tests.bench.child import python
from tests.bench.hooks import SECRET, fire
from tests.bench.served import Served, served
from tests.bench.world import report, signed

BODIES, ANSWERS = 100, 9
#: A process may be so much larger afterwards, in MB, than it was before.
LEFT_MB = 20.0
_JSON = "application/json"


def measure() -> None:
    """Send a hundred bodies of nearly 5 MB to a serving process, then have nine answers of 60 MB read in one."""
    with tempfile.TemporaryDirectory() as folder, served(folder, webhook_secret=SECRET) as server:
        _bodies(server)
    _answers()


def shapes(size: int, most: int) -> list[bytes]:
    """Return JSON of nearly so many bytes: nested deeply, of small objects, of one text, of names, of numbers.

    The last has nearly so many values as are taken (`most`), in the objects that take most memory.
    """
    few = size - 1000
    names = ",".join(f'"n{number}":{number}' for number in range(few // 20))
    return [
        b"[" * few,
        b'{"a":' * (few // 6) + b"1" + b"}" * (few // 6),
        b'{"id":1,"x":[' + b"{}," * (few // 3) + b"{}]}",
        b'{"id":1,"x":"' + b"x" * few + b'"}',
        b'{"id":1,' + names.encode() + b"}",
        b"[" + b"1," * (few // 2) + b"1]",
        b'{"id":1,"x":[' + b'{"a":1},' * (most // 2 - 10) + b"{}]}",
    ]


def _bodies(server: Served) -> None:
    token = tokens.make(server.services, 1, "Bench", ["write"], "bench").secret
    fire(server.port, server.connector().webhook_path, 200)
    worker = resident.only_child(server.process.pid)
    before = resident.megabytes(worker)
    answers, sizes = [], []
    for number in range(BODIES):
        answers.append(_send(server, token, number))
        sizes.append(round(resident.megabytes(worker)))
    left = resident.megabytes(worker) - before
    fire(server.port, server.connector().webhook_path, 200, first=1000)
    told = {str(status): answers.count(status) for status in sorted(set(answers))}
    more = {
        "before": round(before),
        "largest": round(resident.largest(worker)),
        "every_18th": sizes[17::18],
        "answers": told,
    }
    fine = left <= LEFT_MB and not any(status >= 500 for status in answers)
    report("left by a hundred hostile bodies", left, "MB", f"<= {LEFT_MB:.0f}", fine, **more)


def _send(server: Served, token: str, number: int) -> int:
    """Send one body to the webhook, the API or a form, in turn, and return the status that was answered."""
    kinds = shapes(LARGEST_BODY, BODY_VALUES_MAX)
    body = kinds[number // 3 % len(kinds)]
    path, headers, text = [
        (f"/hooks/{server.connector().webhook_path}", signed(body, SECRET), body),
        (f"/api/v1/connectors/{server.connector_id}/orders", {"Authorization": f"Bearer {token}"}, body),
        ("/sign-in", {"Content-Type": "application/x-www-form-urlencoded"}, body.replace(b",", b"&")),
    ][number % 3]
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        # Each from an address of its own: what is too often refused would not be read.
        line.request("POST", path, text, {"Content-Type": _JSON, "X-Forwarded-For": f"10.0.0.{number}", **headers})
        return line.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        # The server has said no before it had all.
        return 413
    finally:
        line.close()


def _answers() -> None:
    with _shop() as url, python("-c", _READER, url) as reader:
        found = [reader.ask(str(number)) for number in range(ANSWERS)]
    left = found[-1]["now"] - found[0]["before"]
    largest = max(each["largest"] for each in found)
    report("left by nine answers of 60 MB", left, "MB", f"<= {LEFT_MB:.0f}", left <= LEFT_MB, largest=round(largest))


@contextmanager
def _shop() -> Iterator[str]:
    """Give the address of a server that answers /0, /1 … with one shape after the other."""
    kinds = shapes(LARGEST_ANSWER - 1000, ANSWER_VALUES_MAX)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = kinds[int(self.path.strip("/")) % len(kinds)]
            self.send_response(200)
            self.send_header("Content-Type", _JSON)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *parts: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


_READER = """
import contextlib, json, sys
from integration import heap
heap.keep_small()
from integration.errors import Unreachable
from integration.http.transport import Transport
from tests.bench import resident
def read(number):
    with contextlib.suppress(ValueError, Unreachable):
        Transport("store").send("GET", f"{sys.argv[1]}/{number}").json()
for line in sys.stdin:
    before = resident.megabytes()
    read(line.strip())
    found = {"before": before, "now": resident.megabytes(), "largest": resident.largest()}
    print(json.dumps(found), flush=True)
"""
