"""What the pages reach through the running application."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, url_for

from integration.operations.support.debug_capture import Capture
from integration.pipeline.services import Services


def services() -> Services:
    """Return the services of the running application."""
    return cast(Services, current_app.extensions["services"])


def outside(endpoint: str, **values: Any) -> str:
    """Return the address of a page for somebody elsewhere; what the request calls its host says nothing of it."""
    return services().base_url + url_for(endpoint, **values)


def capture() -> Capture:
    """Return the debug files of this installation."""
    return Capture(services().deployment.instance_path / "logs", services().clock)
