"""Retries: the steps, the spread, and whose fault it is."""

from __future__ import annotations

import random

import pytest

from integration.errors import (
    AuthRejected,
    Blame,
    IntegrationError,
    MappingError,
    NotSetUp,
    Rejected,
    ServerFault,
    Throttled,
    Unreachable,
)
from integration.pipeline.delivery import retries


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (Unreachable("mautic", "refused", "No."), Blame.CONNECTION),
        (Throttled("mautic", "rate_limit", "Wait.", status=429), Blame.CONNECTION),
        (AuthRejected("mautic", "wrong_credentials", "No."), Blame.CONNECTION),
        (NotSetUp("mautic", "api_disabled", "Off."), Blame.CONNECTION),
        (ServerFault("mautic", "server_fault", "Oops."), Blame.NOBODY),
        (Rejected("mautic", "email_refused", "No."), Blame.RECORD),
        (MappingError("no_total", "No total."), Blame.RECORD),
    ],
)
def test_blame(error: IntegrationError, whose: Blame) -> None:
    assert error.blame is whose


def test_a_fault_is_tried_again_at_growing_distances_and_then_is_dead() -> None:
    chance = random.Random(1)
    fault = ServerFault("mautic", "server_fault", "Oops.")
    waits = [retries.decide(fault, attempt, chance).wait for attempt in range(1, 8)]
    for wait, step in zip(waits, retries.DELAYS, strict=False):
        assert wait is not None
        assert 0.8 * step <= wait.total_seconds() <= 1.2 * step
    assert waits[-1] is None


def test_a_record_at_fault_is_dead_at_once() -> None:
    assert retries.decide(Rejected("mautic", "email_refused", "No."), 1, random.Random(1)).wait is None


def test_the_service_says_when_to_look_again() -> None:
    asked = Throttled("mautic", "rate_limit", "Wait.", status=429, retry_after=77.0)
    assert retries.probe_delay(0, asked).total_seconds() == 77
    assert retries.probe_delay(0, None).total_seconds() == retries.PROBE_DELAYS[0]
    assert retries.probe_delay(99, None).total_seconds() == retries.PROBE_DELAYS[-1]
