"""Test connection (P4): both systems tried with what is typed, saved or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, render_template, stream_with_context

from integration.http.transport import Route
from integration.mapping.fields import needs
from integration.mautic.access import MemoryTokens, TokenBox
from integration.models.connector import Connector
from integration.operations.support.diagnostics import Step, mautic_steps, store_steps
from integration.pipeline.connectors import verified
from integration.pipeline.services import Services
from integration.pipeline.stored_tokens import StoredTokens
from integration.settings.connection import PLAIN, SECRETS

SIDES = (("store", "Store"), ("mautic", "Mautic"))
Steps = Iterator[Step]
#: Nobody watches a page for two minutes, which is what a busy store gets otherwise.
_READ_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A connector as it would be with the typed values, and its secrets.

    `saved` are the sides ("store", "mautic") whose values are those that are stored.
    """

    connector: Connector
    secrets: Mapping[str, str]
    saved: Collection[str] = ()


def prepare(services: Services, connector: Connector, typed: Mapping[str, str]) -> Trial:
    """Return a trial of the typed values over the stored ones; nothing is saved."""
    copy = Connector(id=connector.id, is_demo=connector.is_demo)
    copy.settings, copy.debug_until = connector.settings, connector.debug_until
    for name in PLAIN:
        setattr(copy, name, typed.get(name, getattr(connector, name)))
    for name in ("store_url", "mautic_url"):
        setattr(copy, name, _with_scheme(getattr(copy, name)))
    copy.store_rest_root = ""
    stored = services.readable_secrets(connector)
    secrets = {**stored, **{name: typed[name] for name in SECRETS if typed.get(name)}}
    changed = {name for name in PLAIN if getattr(copy, name) != getattr(connector, name)}
    changed |= {name for name in SECRETS if secrets.get(name) != stored.get(name)}
    saved = [side for side, _ in SIDES if not any(name.startswith(side) for name in changed)]
    return Trial(copy, secrets, saved)


def steps(services: Services, trial: Trial) -> Iterator[tuple[str, Step]]:
    """Yield ("store" or "mautic", step) as each of the ten steps ends; errors of a side are its steps.

    A side that passes as it is saved is known to work: what holds it looks again at once.
    """
    failed: dict[str, bool] = {}
    for side, step in _steps(services, trial):
        failed[side] = failed.get(side, False) or step.state == "failed"
        yield side, step
    passed = [side for side in trial.saved if failed.get(side) is False]
    verified.keep(services, trial.connector.id, passed)


def _steps(services: Services, trial: Trial) -> Iterator[tuple[str, Step]]:
    for side, _ in SIDES:
        for step in of_side(services, trial, side):
            yield side, step


def of_side(services: Services, trial: Trial, side: str) -> Steps:
    """Yield the five steps of "store" or "mautic" as each ends; a step that nobody asks for is not carried out."""
    return _TESTS[side](services, trial)


def _store(services: Services, trial: Trial) -> Steps:
    access = services.store_access(trial.connector, dict(trial.secrets))
    return store_steps(
        access,
        _route(services, trial.connector, access.ca),
        writes=services.modules(trial.connector).sync.webhooks,
        clock=services.clock,
        observer=services.observers(trial.connector),
    )


def _mautic(services: Services, trial: Trial) -> Steps:
    access = services.mautic_access(trial.connector, dict(trial.secrets))
    return mautic_steps(
        access,
        _tokens(services, trial.connector),
        needs(services.modules(trial.connector)),
        services.clock,
        _route(services, trial.connector, access.ca),
        services.observers(trial.connector),
    )


_TESTS = {"store": _store, "mautic": _mautic}


def live(found: Iterator[tuple[str, Step]]) -> Response:
    """Return an answer that shows each step as it ends: a line of HTML each, which static/js/steps.js puts in."""
    lines = stream_with_context(_lines(found))
    return Response(lines, mimetype="text/html", headers={"X-Accel-Buffering": "no"})


def _lines(found: Iterator[tuple[str, Step]]) -> Iterator[str]:
    """Yield one line of HTML for the frame, for each step and for the verdict."""
    yield _line("connection/results.html", results=None, sides=SIDES)
    done: list[tuple[str, Step]] = []
    for side, step in found:
        done.append((side, step))
        yield _line("connection/step.html", side=side, step=step)
    yield _line("connection/verdict.html", results=done)


def _line(template: str, **values: Any) -> str:
    return " ".join(render_template(template, **values).split("\n")) + "\n"


def _tokens(services: Services, connector: Connector) -> TokenBox:
    """Return the stored token for authorization codes, which cannot be had without a person; else a fresh box."""
    return StoredTokens(services, connector.id) if connector.mautic_method == "authorization_code" else MemoryTokens()


def _route(services: Services, connector: Connector, ca: str | None) -> Route:
    return replace(services.route(connector, ca), read_timeout=_READ_TIMEOUT_S)


def _with_scheme(address: str) -> str:
    return address if not address or "://" in address else f"https://{address}"
