"""The production server: gunicorn with one process and threads, the engine inside it."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from integration import heap
from integration.cli import listening
from integration.cli.patient_worker import PatientWorker
from integration.config import Deployment
from integration.engines import engine_for
from integration.engines.watch import Watch
from integration.errors import SettingError

#: Connections that wait to be accepted; gunicorn's own number.
_BACKLOG = 2048


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Runs create_app() under gunicorn.

    One worker process only: the embedded engine lives in it, and SQLite has one writer anyway. More processes come
    with ENGINE=none or procrastinate and `woo-mautic worker`.

    Making one takes its address, and raises SettingError (PORT or HOST) where that is not to be had.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._engine: Any = None
        self._bind: str | list[str] = deployment.place
        super().__init__()
        self._listening = listening.Listening(self._own_addresses())

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        values = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": f"{PatientWorker.__module__}.{PatientWorker.__name__}",
            "threads": self._deployment.threads,
            "timeout": 120,
            "graceful_timeout": 30,
            "keepalive": 5,
            "loglevel": "warning",
            "post_worker_init": self._begin,
            "worker_exit": self._end,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application in the worker process: no database connection is shared over the fork."""
        from app import create_app

        made = create_app(self._deployment)
        heap.pass_by_what_is_made()
        return made

    def listen(self) -> None:
        """Let callers in; they wait until run() answers them. Raises SettingError (PORT)."""
        # Kept for load_config(), too: by another address a reload would close what is listened on.
        self._bind = self._listening.begin(_BACKLOG) or self._bind
        self.cfg.set("bind", self._bind)

    def _own_addresses(self) -> list[listening.Address]:
        """Return the addresses to listen on; none where gunicorn itself sees to it (sockets given to it, or files)."""
        try:
            found = [] if listening.are_given() else self.cfg.address
        except RuntimeError as error:
            sentence = f"HOST {self._deployment.host} is no address to listen on."
            raise SettingError("HOST", sentence, "Set it to 127.0.0.1, or to another one of this machine.") from error
        return found if all(isinstance(each, tuple) for each in found) else []

    def _begin(self, worker: Any) -> None:
        services = worker.wsgi.extensions["services"]
        works_here = self._deployment.engine == "embedded"
        self._engine = engine_for(services, role="embedded") if works_here else Watch(services)
        self._engine.start()

    def _end(self, server: Any, worker: Any) -> None:
        if self._engine is not None:
            self._engine.stop()
