"""Webhook acknowledgements against the production server in a process of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from sqlalchemy import select

from integration.config import load
from integration.models.connector import Connector
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.bench.world import NOW, order, report

SECRET = "benchsecret0123456789"
COUNT = 3000
THREADS = 4


def measure() -> None:
    """Send 3,000 signed order webhooks over 4 connections; the engine is off, the insert is durable."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        environ = {**os.environ, "INSTANCE_PATH": folder, "PORT": str(port), "ENGINE": "none", "LOG_LEVEL": "ERROR"}
        services = open_services(load({"INSTANCE_PATH": folder}))
        path = _connector(services, folder)
        server = subprocess.Popen(
            [sys.executable, "-c", "from integration.cli import main; main()", "serve"],
            env=environ,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            began = time.perf_counter()
            seconds = _fire(port, path)
            took = time.perf_counter() - began
        finally:
            server.terminate()
            server.wait(timeout=20)
        p99 = statistics.quantiles(seconds, n=100)[98] * 1000
        report("webhook acknowledgements", len(seconds) / took, "per second", "stated", len(seconds) == COUNT)
        report("webhook acknowledgement p99", p99, "ms", "stated", True)


def _connector(services: Services, folder: str) -> str:
    upgrade(services.deployment.database_url)
    with services.db.write() as session:
        session.add(Organisation(name="Bench", created_at=NOW))
    made = connectors.create(services, organisation_id=1, name="Bench", webhook_secret=SECRET)
    with services.db.read() as session:
        path = session.scalar(select(Connector.webhook_path).where(Connector.id == made))
    assert path
    assert Path(folder).is_dir()
    return path


def _fire(port: int, path: str) -> list[float]:
    seconds: list[float] = []
    numbers = iter(range(1, COUNT + 1))
    lock = threading.Lock()

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            seconds.append(_one(line, path, number))

    threads = [threading.Thread(target=send) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def _one(line: http.client.HTTPConnection, path: str, number: int) -> float:
    body = json.dumps(order(number, f"buyer{number}@example.com")).encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    headers = {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Resource": "order",
        "X-WC-Webhook-Event": "updated",
        "X-WC-Webhook-Signature": signature,
    }
    began = time.perf_counter()
    line.request("POST", f"/hooks/{path}", body, headers)
    answer = line.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return time.perf_counter() - began


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
