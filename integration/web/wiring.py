"""What the pages reach through the running application."""

from __future__ import annotations

from typing import cast

from flask import current_app

from integration.operations.capture import Capture
from integration.pipeline.ports import Ports


def ports() -> Ports:
    """Return the ports of the running application."""
    return cast(Ports, current_app.extensions["ports"])


def capture() -> Capture:
    """Return the debug files of this installation."""
    return Capture(ports().deployment.instance_path / "logs", ports().clock)
