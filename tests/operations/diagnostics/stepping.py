"""A test of a store's connection, carried out and judged."""

from __future__ import annotations

from typing import Any

from integration.clock import Clock
from integration.http.transport import Route
from integration.operations.support.diagnostics import Step, store_steps
from integration.sandbox.store import StoreServer
from integration.sandbox.store.auth import Pair
from integration.sandbox.store.demo_shop import seed
from integration.store.access import StoreAccess

KEY = Pair("ck_" + "1" * 40, "cs_" + "1" * 40)


def look(
    url: str, pair: Pair = KEY, *, writes: bool = True, ca: str | None = None, clock: Clock | None = None, **route: Any
) -> list[Step]:
    access = StoreAccess(url, pair.key, pair.secret, ca)
    return list(store_steps(access, Route(ca=ca, read_timeout=5, **route), writes=writes, clock=clock or Clock()))


def failure(steps: list[Step]) -> Step:
    """Return the one step that failed; those before it are no failures, those after it are skipped."""
    (failed,) = [step for step in steps if step.state == "failed"]
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert all(step.state == "skipped" for step in steps[failed.number :])
    assert failed.sentence.endswith(".") and failed.hint.endswith(".")
    return failed


def warning(steps: list[Step]) -> Step:
    """Return the one step with a warning; the others are well."""
    (warned,) = [step for step in steps if step.state == "warning"]
    assert {step.state for step in steps} == {"ok", "warning"}
    assert warned.hint.endswith(".")
    return warned


def outcome(step: Step) -> tuple[int, str]:
    return step.number, step.code


def customers_and_orders(server: StoreServer) -> None:
    seed(server.state, customers=12, orders=20)
