"""Starts the demo's two ends and connects them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from integration import shop_lines
from integration.errors import IntegrationError, SettingError
from integration.models.connector import Connector
from integration.pipeline.connectors import connectors, webhook_registration
from integration.pipeline.services import Services

PORTS = (8091, 8092)
NAME = "Demo shop"
LOCK = "running.lock"
RUNNING = "A demo runs in {} already."
RUNNING_HINT = "Use that one or stop it; another one needs an INSTANCE_PATH and a PORT of its own."


class Demo:
    """The demo store and Mautic, in a child process that ends with this one; their state stays in `folder`.

    With `https` a certificate authority of their own vouches for them, another one each time; the connector gets it.
    """

    def __init__(self, folder: Path, mautic_version: str = "5.2", *, https: bool = False) -> None:
        self._folder = folder
        self._mautic_version = mautic_version
        self._https = https
        self._child: subprocess.Popen[str] | None = None
        self._whereabouts: dict[str, str] = {}
        self._locks: tuple[int, ...] = ()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other demos from the folder; raises SettingError (INSTANCE_PATH) where one is at work in it.

        The lock goes when all who hold it have ended, in whatever way. The child has it as well: it may outlive a
        parent that was killed by some moments, and saves its state in them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            self._hold(lock)
            yield
        finally:
            os.close(lock)

    def _hold(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingError("INSTANCE_PATH", RUNNING.format(self._folder), RUNNING_HINT) from error
        self._locks = (lock,)

    def start(self) -> None:
        """Start both servers on their usual services, or on free ones where those are taken."""
        for services in (PORTS, (0, 0)):
            if self._try(*services):
                return
        raise IntegrationError("demo", "The demo's store and Mautic could not be started.", "See the lines above.")

    def _try(self, store: int, mautic: int) -> bool:
        command = [sys.executable, "-m", "integration.sandbox", "--folder", str(self._folder)]
        command += ["--store-port", str(store), "--mautic-port", str(mautic)]
        command += ["--mautic-version", self._mautic_version, *(["--https"] if self._https else [])]
        errors = None if not store else subprocess.DEVNULL
        # A session of its own: Ctrl-C goes to the app alone, which then ends the demo in order.
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            pass_fds=self._locks,
        )
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        self._whereabouts = json.loads(line) if line else {}
        return bool(line)

    def connect(self, services: Services, organisation_id: int) -> int:
        """Make the demo connector, or tell the one there is where its ends are now; return its id.

        The shop's webhooks are registered too, so that what its shoppers do is seen at once.
        """
        with services.db.read() as session:
            found = session.scalar(select(Connector.id).where(Connector.is_demo).limit(1))
        values: dict[str, Any] = {**self._whereabouts, "mautic_method": "client_credentials"}
        if found is None:
            found = connectors.create(services, organisation_id=organisation_id, name=NAME, is_demo=True, **values)
        else:
            connectors.connect(services, found, **values)
        webhook_registration.register(services, found)
        self._paste(services, found)
        return found

    def _paste(self, services: Services, connector_id: int) -> None:
        """Put the line for abandoned carts into the shop's pages, as its owner would."""
        with services.db.read() as session:
            key = session.get_one(Connector, connector_id).cart_key
        line = {"script": shop_lines.tag(f"{services.base_url}/carts/{key}.js")}
        if self._child is not None and self._child.stdin is not None:
            print(json.dumps(line), file=self._child.stdin, flush=True)

    def stop(self) -> None:
        """End both servers; they save their state."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            self._child.wait(timeout=20)
