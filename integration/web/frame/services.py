"""What the pages reach through the running application."""

from __future__ import annotations

from typing import cast

from flask import current_app

from integration.operations.support.debug_capture import Capture
from integration.pipeline.services import Services


def services() -> Services:
    """Return the services of the running application."""
    return cast(Services, current_app.extensions["services"])


def capture() -> Capture:
    """Return the debug files of this installation."""
    return Capture(services().deployment.instance_path / "logs", services().clock)
