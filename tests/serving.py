"""The application on a socket of this process."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import make_server

from app import create_app
from integration.pipeline.services import Services


@contextmanager
def serving(services: Services, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve the application; yields its address, which is the deployment's public one from then on.

    `host` is the name by which a browser reaches this machine.
    """
    server = make_server("127.0.0.1", 0, Flask(__name__), threaded=True, ssl_context=tls)
    url = f"{'https' if tls else 'http'}://{host}:{server.port}"
    services.deployment = services.deployment.model_copy(update={"public_url": url})
    # Made for its address, as one that is installed is: it answers to that name.
    server.app = create_app(services.deployment, services)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield url
    server.shutdown()
