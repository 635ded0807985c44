"""The address of `serve`: had before anything is told, kept or started, or said in one sentence why it is not."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli.listening import Listening
from integration.errors import SettingError
from tests.cli.conftest import COMMAND, Result, Run
from tests.cli.started import ask, start
from tests.postgres import free_port
from tests.waiting import wait_for


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def refused(result: Result, said: str) -> None:
    """Expect one sentence, and no word of an address or a link."""
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert (result.err[:7], result.err.count("\n")) == ("Error: ", 1)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_that_is_taken_is_said_before_anything_is_told_kept_or_started(
    run: Run, environ: dict[str, str], taken: str, command: str
) -> None:
    refused(run(command, PORT=taken), f"PORT {taken} of 127.0.0.1 is taken")
    folder = Path(environ["INSTANCE_PATH"])
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert kept <= {"secret.key", "demo/running.lock"}


def test_a_port_that_is_taken_leaves_the_address_at_which_the_pages_are_served(
    run: Run, environ: dict[str, str], taken: str
) -> None:
    port = str(free_port())
    child, _ = start(environ, "serve", port)
    try:
        refused(run("serve", PORT=taken), f"PORT {taken}")
        refused(run("serve", PORT=port), f"such as PORT={int(port) + 1}")
        link = run("user", "link", "admin@localhost.localdomain").out
        assert link.startswith(f"http://127.0.0.1:{port}/sign-in/link/")
        assert ask(port, "GET", "/healthz")[0] == 200
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("203.0.113.9", "HOST 203.0.113.9 is no address of this machine"),
        ("nowhere.invalid", "could not listen on nowhere.invalid:"),
        ("a" * 70, "could not listen on aaa"),
        ("http://shop.example", "HOST http://shop.example is no address to listen on"),
        ("2001:db8::9", "2001:db8::9"),
    ],
)
def test_a_host_that_is_not_ours_is_said(run: Run, host: str, said: str) -> None:
    refused(run("serve", HOST=host, PORT=str(free_port())), said)


def test_a_port_that_may_not_be_used_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # Which ports need a right, and who has it, is another thing on each machine.
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SettingError, match="PORT 80 may not be used by this user") as raised:
        Listening([("127.0.0.1", 80)])
    assert raised.value.name == "PORT"


def test_of_two_that_begin_at_once_one_is_refused() -> None:
    address = ("127.0.0.1", free_port())
    one, other = Listening([address]), Listening([address])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    [named] = one.begin(5)
    with socket.socket(fileno=int(named.removeprefix("fd://"))):
        socket.create_connection(address).close()
        with pytest.raises(SettingError, match="is taken"):
            other.begin(5)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_is_listened_on_with_and_without_brackets(environ: dict[str, str], run: Run, host: str) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        # A machine without IPv6 is told so.
        refused(run("serve", HOST=host, PORT=str(free_port())), "::1")
        return
    command = [*COMMAND, "serve"]
    child = subprocess.Popen(
        command, env=environ | {"HOST": host, "PORT": str(port)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == f"woo-mautic is at http://[::1]:{port}\n"
        child.stdout.readline()
        with socket.create_connection(("::1", port), timeout=60) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 200 ")
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0


def test_a_reload_goes_on_listening(environ: dict[str, str]) -> None:
    port = str(free_port())
    child, _ = start(environ, "serve", port)
    try:
        workers = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        [before] = workers.read_text(encoding="ascii").split()
        child.send_signal(signal.SIGHUP)
        wait_for(lambda: before not in workers.read_text(encoding="ascii").split(), "the worker's end", seconds=60)
        assert wait_for(lambda: ask(port, "GET", "/healthz")[0] == 200)
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0


_AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_socket_of_systemd_is_the_one_that_is_served(environ: dict[str, str], taken: str) -> None:
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        given.listen()
        port = str(given.getsockname()[1])
        number = given.fileno()
        command = [sys.executable, "-c", _AS_SYSTEMD, str(number), *COMMAND, "serve"]
        child = subprocess.Popen(command, env=environ | {"PORT": taken}, stdout=subprocess.DEVNULL, pass_fds=(number,))
    try:
        assert wait_for(lambda: ask(port, "GET", "/healthz")[0] == 200)
    finally:
        child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0
