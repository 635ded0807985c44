"""Engines wake the work, in this process or in others."""

from __future__ import annotations

from typing import Protocol

from integration import program
from integration.pipeline.services import Services


class Engine(Protocol):
    """Something that works until it is stopped."""

    def start(self) -> None:
        """Begin to work in the background."""

    def stop(self) -> None:
        """Finish what is in flight and stop."""


def wired(services: Services) -> Services:
    """Return the services as the engine wants them: procrastinate defers its job in the accepting transaction."""
    if services.deployment.engine == "procrastinate":
        from integration.engines.procrastinate import defer, install

        install(services.db)
        services.on_accept = defer
    return services


def engine_for(services: Services, *, role: str) -> Engine:
    """Return the engine that the deployment asks for; a worker of ENGINE=none is the embedded one by itself."""
    # Now, for the files may be another version's before the first run asks.
    program.digest()
    if services.deployment.engine == "procrastinate":
        from integration.engines.procrastinate import Procrastinate

        return Procrastinate(services, role=role)
    from integration.engines.embedded import Embedded

    return Embedded(services, role=role)
