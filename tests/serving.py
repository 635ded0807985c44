"""The application on a socket of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server

from app import create_app
from integration.pipeline.services import Services


@contextmanager
def serving(services: Services) -> Iterator[str]:
    """Serve the application; yields its address, which is the deployment's public one from then on."""
    server = make_server("127.0.0.1", 0, create_app(services.deployment, services), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.port}"
    services.deployment = services.deployment.model_copy(update={"public_url": url})
    yield url
    server.shutdown()
