"""The production server in a process of its own, with an empty SQLite database and one connector."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from integration.config import load
from integration.models.connector import Connector
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.bench.world import NOW
from tests.postgres import free_port


@dataclass
class Served:
    """A server that listens: its process, its port, and the services of its database in this process."""

    process: subprocess.Popen[bytes]
    port: int
    services: Services
    connector_id: int

    def connector(self) -> Connector:
        """Return the connector as it is stored now."""
        with self.services.db.read() as session:
            return session.get_one(Connector, self.connector_id)

    def kill(self) -> None:
        """Kill the server and its worker process hard."""
        os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def served(folder: str, settings: dict[str, Any] | None = None, **connection: str) -> Iterator[Served]:
    """Serve from a folder, the engine off; callers are told apart by X-Forwarded-For, as behind a proxy."""
    services = open_services(load({"INSTANCE_PATH": folder}))
    upgrade(services.deployment.database_url)
    with services.db.write() as session:
        session.add(Organisation(name="Bench", created_at=NOW))
    number = connectors.create(services, organisation_id=1, name="Bench", **connection)
    connectors.configure(services, number, settings or {})
    port = free_port()
    own = {"INSTANCE_PATH": folder, "PORT": str(port), "ENGINE": "none", "LOG_LEVEL": "ERROR", "PROXIES": "1"}
    command = [sys.executable, "-c", "from integration.cli import main; main()", "serve"]
    process = subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until_open(port)
        yield Served(process, port, services, number)
    finally:
        process.terminate()
        process.wait(timeout=20)
        services.db.dispose()


def wait_until_open(port: int) -> None:
    """Return once somebody listens on the port of this machine; RuntimeError after half a minute."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
