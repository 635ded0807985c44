"""The console command in a process of its own, on an installation in a temporary folder."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from integration.cli import root
from integration.errors import IntegrationError
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer

COMMAND = (sys.executable, "-c", "from integration.cli import main; main()")


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    settings = {"LOG_LEVEL": "ERROR", "PYTHONUNBUFFERED": "1", "PRIVATE_HOSTS": "127.0.0.1"}
    return os.environ | settings | {"INSTANCE_PATH": str(tmp_path / "instance")}


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    """Run a command to its end; nothing it prints is ever a traceback."""

    def call(*args: str, **settings: str) -> Result:
        done = subprocess.run(
            [*COMMAND, *args], env=environ | settings, capture_output=True, text=True, check=False, timeout=90
        )
        assert "Traceback" not in done.stderr + done.stdout
        return Result(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def quick(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command within this process: faster, and without a terminal either."""
    monkeypatch.setattr(os, "environ", environ)
    level = logging.getLogger().level

    def call(*args: str, **settings: str) -> Result:
        done = CliRunner().invoke(root, args, env=settings)
        error = done.exception
        if isinstance(error, IntegrationError):
            return Result(1, done.stdout, "\n".join(map(str, (error, *getattr(error, "others", ())))))
        return Result(done.exit_code, done.stdout, done.stderr)

    yield call
    logging.getLogger().setLevel(level)


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def connected(quick: Run, store: StoreServer, mautic: MauticServer) -> str:
    """The id of a connector to both stand-ins."""
    made = quick(
        "connect",
        "--name=Shop",
        f"--store-url={store.url}",
        f"--store-key={store.credentials.key}",
        f"--store-secret={store.credentials.secret}",
        f"--mautic-url={mautic.url}",
        f"--mautic-client-id={mautic.credentials.client_id}",
        f"--mautic-client-secret={mautic.credentials.client_secret}",
    )
    assert made.code == 0, made.err
    return made.out.strip()
