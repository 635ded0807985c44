"""A throw-away PostgreSQL for the tests: its own cluster in a temporary folder, never an installed one's data."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path


def binaries() -> Path | None:
    """Return the folder with initdb and pg_ctl, None where PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    folders += [Path(found).parent] if found else []
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


class Cluster:
    """A PostgreSQL server on a free loopback port, or on another address; `settings` are like max_connections=300."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", settings: Sequence[str] = ()) -> None:
        self._bin = folder
        self._host, self._settings = host, settings
        self._home = Path(tempfile.mkdtemp(prefix="wm-pg-"))
        self._data = self._home / "data"
        self.port = free_port()

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the maintenance database."""
        return f"postgresql+psycopg://tester@{self._host}:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Return the process id of the server, whose children work for the connections."""
        return int((self._data / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def start(self) -> None:
        """Make the cluster and start it; PostgreSQL refuses root, so root hands it to the user postgres."""
        if os.geteuid() == 0:
            shutil.chown(self._home, "postgres")
        self._run("initdb", "-D", str(self._data), "-U", "tester", "-A", "trust", "--no-sync")
        options = (
            f"-p {self.port} -c listen_addresses={self._host} -c fsync=off -c unix_socket_directories={self._home}"
        )
        options += "".join(f" -c {setting}" for setting in self._settings)
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._home / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *args: str) -> None:
        command = [str(self._bin / program), *args]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
