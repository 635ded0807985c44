"""The app as a process of its own: started, asked by its API, killed, measured."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import requests

from integration.config import load
from integration.operations.identity import tokens
from integration.pipeline.services import open_services
from tests.postgres import free_port

START_MAX_S, STOP_MAX_S = 60.0, 60.0
CALL_MAX_S = 20.0
#: How often the memory is looked at.
SAMPLE_EVERY_S = 1.0


class App:
    """`woo-mautic serve` with an engine inside, on a port of its own; its output goes to `folder`/app.log."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url
        self._clock = folder / "clock"
        self._environ = {
            "INSTANCE_PATH": str(folder / "instance"),
            "DATABASE_URL": database_url,
            "SECRET_KEY": "s" * 40,
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "ENGINE": "embedded",
            "LOG_LEVEL": "WARNING",
            # Both ends are stand-ins on this machine.
            "PRIVATE_HOSTS": "127.0.0.1",
        }
        self._log = (folder / "app.log").open("a")
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""
        self.offset_s = 0.0
        #: (seconds since measure(), MB) of the process that works.
        self.memory: list[tuple[float, float]] = []
        self._began = time.monotonic()
        threading.Thread(target=self._watch, name="soak-memory", daemon=True).start()

    def measure(self) -> None:
        """Begin to measure the memory anew."""
        self.memory, self._began = [], time.monotonic()

    def command(self, *words: str) -> str:
        """Run a command of woo-mautic and return what it printed; raises CalledProcessError."""
        done = subprocess.run(self._words(*words), env=self._env(), check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tests.soak.serve", *words]

    def _env(self) -> dict[str, str]:
        return os.environ | self._environ | {"SOAK_CLOCK": str(self._clock)}

    def make_token(self) -> None:
        """Make the token by which the API is called."""
        services = open_services(load(self._environ))
        scopes = ("logs", "runs", "replay")
        self._token = tokens.make(services, 1, f"soak {secrets.token_hex(2)}", scopes, "soak").secret
        services.db.dispose()

    def start(self) -> None:
        """Start it and wait until it answers; raises RuntimeError when it does not."""
        self._process = subprocess.Popen(
            self._words("serve"), env=self._env(), stdout=self._log, stderr=self._log, start_new_session=True
        )
        ends = time.monotonic() + START_MAX_S
        while time.monotonic() < ends:
            if self._is_up():
                return
            time.sleep(0.2)
        raise RuntimeError(f"The app did not start within {START_MAX_S:.0f} s; see {self.folder}/app.log.")

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """End master and worker hard, as a lost machine does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_worker(self) -> None:
        """End the process that works hard, as the system does when memory runs out; its master starts another."""
        for child in self._workers():
            os.kill(child, signal.SIGKILL)

    def stop(self) -> float:
        """End it in order and return the seconds that took; what does not end is killed, what never began took none."""
        if self._process is None:
            return 0.0
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_MAX_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began

    def move_clock(self, offset_s: float) -> None:
        """Let the clock be wrong by so many seconds from now on."""
        draft = self._clock.with_suffix(".part")
        draft.write_text(str(offset_s), "ascii")
        draft.replace(self._clock)
        self.offset_s = offset_s

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Call the API and return status and JSON; (0, None) when nobody answers."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            answer = requests.request(
                method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=CALL_MAX_S
            )
            return answer.status_code, answer.json()
        except (requests.RequestException, ValueError):
            return 0, None

    def _workers(self) -> list[int]:
        pid = self._process.pid if self._process is not None else 0
        try:
            return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
        except OSError:
            return []

    def _watch(self) -> None:
        while True:
            time.sleep(SAMPLE_EVERY_S)
            used = sum(_resident_mb(each) for each in self._workers())
            if used:
                self.memory.append((time.monotonic() - self._began, used))


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
