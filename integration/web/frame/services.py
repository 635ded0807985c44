"""What the pages reach through the running application."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

from flask import Flask, current_app, g, url_for

from integration.models.database import waiting
from integration.operations.support.debug_capture import Capture
from integration.pipeline.services import Services

#: The store gives a webhook up after 5 seconds, a person soon after.
WRITE_WAIT_S = 5.0


def services() -> Services:
    """Return the services of the running application."""
    return cast(Services, current_app.extensions["services"])


def limit_waits(app: Flask) -> None:
    """Let what a request writes wait for other writers so long only that its caller is still there."""

    def begin() -> None:
        g.waits = ExitStack()
        g.waits.enter_context(waiting(WRITE_WAIT_S))

    def end(error: BaseException | None) -> None:
        if waits := g.pop("waits", None):
            waits.close()

    app.before_request(begin)
    app.teardown_request(end)


def outside(endpoint: str, **values: Any) -> str:
    """Return the address of a page for somebody elsewhere; what the request calls its host says nothing of it."""
    return services().base_url + url_for(endpoint, **values)


def capture() -> Capture:
    """Return the debug files of this installation."""
    return Capture(services().deployment.instance_path / "logs", services().clock)
