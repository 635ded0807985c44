"""Engines are bells: what wakes the work, in this process or in others."""

from __future__ import annotations

from typing import Protocol

from integration.pipeline.ports import Ports


class Engine(Protocol):
    """Something that works until it is stopped."""

    def start(self) -> None:
        """Begin to work in the background."""

    def stop(self) -> None:
        """Finish what is in flight and stop."""


def wired(ports: Ports) -> Ports:
    """Return the ports with the deployment's bell: procrastinate defers its job in the accepting transaction."""
    if ports.deployment.engine == "procrastinate":
        from integration.engines.procrastinate import defer
        from integration.engines.procrastinate import install

        install(ports.db)
        ports.on_accept = defer
    return ports


def engine_for(ports: Ports, *, role: str) -> Engine:
    """Return the engine that the deployment asks for; a worker of ENGINE=none is the embedded one by itself."""
    if ports.deployment.engine == "procrastinate":
        from integration.engines.procrastinate import Procrastinate

        return Procrastinate(ports, role=role)
    from integration.engines.embedded import Embedded

    return Embedded(ports, role=role)
