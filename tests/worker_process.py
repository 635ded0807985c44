"""A worker in a process of its own, as `woo-mautic worker` is started, on the database of some services."""

from __future__ import annotations

import os
import subprocess
import sys

from integration.pipeline.services import Services


def start_worker(services: Services) -> subprocess.Popen[bytes]:
    """Start one with the engine of the deployment; who starts it ends it."""
    environ = os.environ | {
        "DATABASE_URL": services.deployment.database_url,
        "ENGINE": services.deployment.engine,
        "INSTANCE_PATH": str(services.deployment.instance_path),
        "SECRET_KEY": services.deployment.secret_key,
        "PRIVATE_HOSTS": "*",
    }
    command = [sys.executable, "-c", "from integration.cli import main; main()", "worker"]
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
