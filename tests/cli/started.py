"""The application in a process of its own, as a command starts it, and what it answers there."""

from __future__ import annotations

import http.client
import re
import subprocess
from pathlib import Path

from tests.cli.conftest import COMMAND
from tests.waiting import wait_for


def ask(port: str, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> tuple[int, str]:
    line = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    try:
        line.request(method, path, body, headers or {})
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        line.close()


def start(environ: dict[str, str], command: str, port: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server; return it with its one-time link once it answers."""
    child = subprocess.Popen([*COMMAND, command], env=environ | {"PORT": port}, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = child.stdout.readline() + child.stdout.readline()
    link = re.search(r"/sign-in/link/\S+", said)
    assert link is not None, said
    assert wait_for(lambda: ask(port, "GET", "/healthz")[0] == 200)
    return child, link[0]


def ends(environ: dict[str, str]) -> list[str]:
    """The process ids of this installation's demo shop and Mautic."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if "integration.sandbox" in words and any(environ["INSTANCE_PATH"] in word for word in words):
            found.append(path.parent.name)
    return found
