"""Captures of carts against the production server: as many a second as shoppers send, however long answers take."""

from __future__ import annotations

import http.client
import json
import resource
import statistics
import tempfile
import threading
import time

from sqlalchemy import func, select

from integration.models.cart import Cart
from tests.bench.served import Served, served
from tests.bench.world import report

SHOP = "https://shop.example"
PER_SECOND, SECONDS = 200, 60
THREADS = 16
SETTINGS = {"carts.enabled": True, "carts.silent": True}


def measure() -> None:
    """Send 200 captures a second for a minute, each of another shopper, at the moment when it is due."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = began.ru_utime + began.ru_stime
    with tempfile.TemporaryDirectory() as folder, served(folder, SETTINGS, store_url=SHOP) as server:
        seconds = fire(server, PER_SECOND * SECONDS, PER_SECOND)
        with server.services.db.read() as session:
            kept = session.scalar(select(func.count()).select_from(Cart)) or 0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report("CPU of a capture", (used.ru_utime + used.ru_stime - before) * 1000 / len(seconds), "ms", "stated", True)
    p99 = statistics.quantiles(seconds, n=100)[98] * 1000
    report("captures lost of those answered", len(seconds) - kept, "carts", "0", kept == len(seconds))
    report("captures answered", len(seconds), "of 12,000", "all", len(seconds) == PER_SECOND * SECONDS)
    report("capture p99 from when it was due", p99, "ms", "stated", True)


def fire(server: Served, count: int, per_second: float, answered: list[int] | None = None) -> list[float]:
    """Send captures at their moments over some connections; return the seconds from due to answered.

    `answered` takes the numbers of those that were answered with 204. A connection that breaks ends its thread.
    """
    path = f"/carts/{server.connector().cart_key}"
    began = time.perf_counter()
    numbers = iter(range(count))
    lock = threading.Lock()
    seconds: list[float] = []

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = began + number / per_second
            time.sleep(max(due - time.perf_counter(), 0))
            try:
                line.request("POST", path, body(number), _headers(number))
                answer = line.getresponse()
                answer.read()
            except OSError:
                return
            if answer.status == 204:
                seconds.append(time.perf_counter() - due)
                (answered if answered is not None else []).append(number)

    threads = [threading.Thread(target=send) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def key(number: int) -> str:
    """Return the cart's name in its shopper's browser."""
    return f"bench-cart-{number:012}"


def body(number: int) -> str:
    """Return what the script sends of a cart of three lines."""
    items = [{"id": 13 + line, "qty": 1, "variation": [["Colour", "blue"]]} for line in range(3)]
    return json.dumps({"cart": key(number), "n": 1, "email": f"buyer{number}@example.com", "items": items})


def _headers(number: int) -> dict[str, str]:
    shopper = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {"Origin": SHOP, "User-Agent": "Mozilla/5.0", "Content-Type": "text/plain", "X-Forwarded-For": shopper}
