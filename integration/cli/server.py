"""The production server: gunicorn with one process and threads, the engine inside it."""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from integration import heap
from integration.cli.patient_worker import PatientWorker
from integration.config import Deployment
from integration.engines import engine_for
from integration.engines.watch import Watch
from integration.errors import SettingError


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Runs create_app() under gunicorn.

    One worker process only: the embedded engine lives in it, and SQLite has one writer anyway. More processes come
    with ENGINE=none or procrastinate and `woo-mautic worker`.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._engine: Any = None
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        values = {
            "bind": self._deployment.place,
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

    def run(self) -> None:
        """Serve until stopped; a port that is taken is said by its setting."""
        try:
            super().run()
        except SystemExit as stop:
            if stop.code == 1:
                raise SettingError(
                    "PORT",
                    f"The server could not listen on {self._deployment.place}.",
                    "Choose another PORT or HOST, or stop what listens there.",
                ) from None
            sys.exit(stop.code)

    def _begin(self, worker: Any) -> None:
        services = worker.wsgi.extensions["services"]
        works_here = self._deployment.engine == "embedded"
        self._engine = engine_for(services, role="embedded") if works_here else Watch(services)
        self._engine.start()

    def _end(self, server: Any, worker: Any) -> None:
        if self._engine is not None:
            self._engine.stop()
