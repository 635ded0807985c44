"""Debug mode is switched on for a time, by administrators, and every page says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.models import Connector
from tests.web.conftest import Person, text_of

Read = Callable[[], Connector]


@pytest.fixture
def path(connector_id: int) -> str:
    return f"/connectors/{connector_id}/connection/debug"


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("1h", timedelta(hours=1)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("forever", timedelta(hours=24)),
        ("", timedelta(hours=24)),
    ],
)
def test_it_ends_by_itself(
    admin: Person, path: str, connector: Read, clock: SetClock, duration: str, expected: timedelta, audit_of: Callable
) -> None:
    admin.post(path, {"switch": "on", "duration": duration})
    assert connector().debug_until == clock.now() + expected
    assert [entry.entity for entry in audit_of("DEBUG_ON")] == ["Sunflower"]


def test_pages_say_until_when_and_then_no_more(
    admin: Person, viewer: Person, path: str, connector_id: int, clock: SetClock
) -> None:
    admin.post(path, {"switch": "on", "duration": "1h"})
    page = f"/connectors/{connector_id}/"
    assert "Debug mode is on until 20 Nov 2026, 13:00:00 UTC." in text_of(viewer.get(page))
    clock.advance(hours=1)
    assert "Debug mode is on" not in text_of(viewer.get(page))


def test_it_can_be_switched_off_early(admin: Person, path: str, connector: Read, audit_of: Callable) -> None:
    admin.post(path, {"switch": "on"})
    admin.post(path, {"switch": "off"})
    assert connector().debug_until is None
    assert len(audit_of("DEBUG_OFF")) == 1
