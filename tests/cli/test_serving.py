"""serve and demo under the production server, in processes of their own."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.started import ask, ends, start
from tests.postgres import free_port
from tests.waiting import wait_for


def test_the_link_signs_in_once_and_sigterm_ends_in_order(environ: dict[str, str]) -> None:
    port = str(free_port())
    child, link = start(environ, "serve", port)
    try:
        status, page = ask(port, "GET", link)
        assert (status, "csrf_token" in page) == (200, True)
        assert ask(port, "GET", "/")[0] in (302, 303)
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0


def test_the_demo_comes_up_connected_and_ends_with_its_parent(environ: dict[str, str], run: Run) -> None:
    port = str(free_port())
    child, _ = start(environ, "demo", port)
    try:
        [connector] = run("connectors", "--json").json
        assert connector["name"] == "Demo shop"
        assert run("check", "1").code == 0
        assert len(ends(environ)) == 1
    finally:
        child.kill()
    child.wait(timeout=20)
    assert wait_for(lambda: ends(environ) == [])
    again, _ = start(environ, "demo", str(free_port()))
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=40) == 0
    assert len(run("connectors", "--json").json) == 1


@pytest.mark.usefixtures("environ")
def test_the_readme_names_every_setting() -> None:
    from integration.config import MEANINGS

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", readme, re.MULTILINE))
    assert {name: meaning.strip() for name, meaning in rows.items()} == {n: m for n, (m, _) in MEANINGS.items()}
    assert json.dumps(sorted(rows)) == json.dumps(sorted(MEANINGS))


def dripping(port: str, begin: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
    line.sendall(begin)
    return line


BODY = b"POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
CHUNKS = b"POST /hooks/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"


def test_clients_that_drip_keep_nobody_waiting(environ: dict[str, str]) -> None:
    port = str(free_port())
    child, _ = start(environ | {"THREADS": "2"}, "serve", port)
    try:
        lines = [dripping(port, begin) for begin in (b"GET / HTTP/1.1\r\nX: ", BODY, CHUNKS, b"") for _ in range(8)]
        for _ in range(3):
            for line in lines:
                line.sendall(b"a")
            began = time.monotonic()
            assert ask(port, "GET", "/healthz")[0] == 200
            assert ask(port, "GET", "/sign-in")[0] == 200
            assert time.monotonic() - began < 5
        assert lines[0].recv(100).startswith(b"HTTP/1.1 408 ")
        for line in lines:
            line.close()
        # A body in pieces, a kept connection, and a client that asks first are served.
        with dripping(port, BODY) as line:
            for _ in range(4):
                line.sendall(b"a" * 250)
            assert line.recv(100).startswith(b"HTTP/1.1 404 ")
        with dripping(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
            answers = b""
            while answers.count(b'{"status":"ok"}') < 3:
                piece = line.recv(4000)
                assert piece
                answers += piece
            assert answers.count(b"HTTP/1.1 200 ") == 3
        with dripping(port, BODY.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")) as line:
            assert line.recv(100).startswith(b"HTTP/1.1 100 ")
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=45) == 0
