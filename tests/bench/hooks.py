"""Webhook acknowledgements against the production server in a process of its own."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import threading
import time

from tests.bench.served import served
from tests.bench.world import order, report, signed

SECRET = "benchsecret0123456789"
COUNT = 3000
THREADS = 4


def measure() -> None:
    """Send 3,000 signed order webhooks over 4 connections; the engine is off, the insert is durable."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(folder, webhook_secret=SECRET) as server,
    ):
        began = time.perf_counter()
        seconds = fire(server.port, server.connector().webhook_path, COUNT)
        took = time.perf_counter() - began
        p99 = statistics.quantiles(seconds, n=100)[98] * 1000
        report("webhook acknowledgements", len(seconds) / took, "per second", "stated", len(seconds) == COUNT)
        report("webhook acknowledgement p99", p99, "ms", "stated", True)


def fire(port: int, path: str, count: int, first: int = 1) -> list[float]:
    """Send so many signed orders over 4 connections and return how long each took that was accepted, in seconds."""
    seconds: list[float] = []
    numbers = iter(range(first, first + count))
    lock = threading.Lock()

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            taken = _one(line, path, number)
            if taken is not None:
                seconds.append(taken)

    threads = [threading.Thread(target=send) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def _one(line: http.client.HTTPConnection, path: str, number: int) -> float | None:
    """Send one order and return how long it took until it was accepted, None where it was refused."""
    body = json.dumps(order(number, f"buyer{number}@example.com")).encode()
    headers = signed(body, SECRET)
    began = time.perf_counter()
    line.request("POST", f"/hooks/{path}", body, headers)
    answer = line.getresponse()
    answer.read()
    return time.perf_counter() - began if answer.status == 200 else None
