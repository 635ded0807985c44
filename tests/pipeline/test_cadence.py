"""Schedules: every so often, or by a crontab in the store's zone, over changes of the clock too."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from integration.errors import SettingError
from integration.models import Schedule
from integration.pipeline.connectors import connectors, schedule_times
from integration.pipeline.services import Services

ROME = ZoneInfo("Europe/Rome")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "cron", "due"),
    [
        ("2026-11-20T12:00", "30 3 * * *", "2026-11-21T02:30"),
        ("2026-07-20T12:00", "30 3 * * *", "2026-07-21T01:30"),
        ("2026-11-20T12:00", "*/15 * * * *", "2026-11-20T12:15"),
        ("2026-11-20T12:00", "0 9 * * 1", "2026-11-23T08:00"),
        # In spring 2:30 is left out: it is 1:30 UTC, an hour later by the clock.
        ("2026-03-28T12:00", "30 2 * * *", "2026-03-29T01:30"),
        # In autumn 2:30 comes twice: the first one counts.
        ("2026-10-24T12:00", "30 2 * * *", "2026-10-25T00:30"),
        ("2026-10-25T00:30", "30 2 * * *", "2026-10-26T01:30"),
    ],
)
def test_a_crontab_is_read_by_the_stores_wall_clock(now: str, cron: str, due: str) -> None:
    assert schedule_times.following(at(now), 300, cron, ROME) == at(due)


def test_after_a_standstill_there_is_one_moment_not_many() -> None:
    assert schedule_times.following(at("2026-11-20T12:00"), 300, "", ROME) == at("2026-11-20T12:05")


@pytest.mark.parametrize(
    "text", ["every day", "61 * * * *", "* * * *", "* * * * * *", "@daily", "0 0 31 2 x", "0 0 30 2 *"]
)
def test_a_text_that_is_no_crontab_is_refused_with_an_example(services: Services, connector_id: int, text: str) -> None:
    with pytest.raises(SettingError) as refused:
        connectors.configure(services, connector_id, {"sync.cron": text})
    assert refused.value.name == "sync.cron"
    assert "30 3 * * 1-5" in refused.value.hint


def test_a_new_crontab_moves_the_schedule(services: Services, connector_id: int) -> None:
    connectors.configure(services, connector_id, {"sync.cron": " 0  3 * * * "})
    with services.db.read() as session:
        row = session.get_one(Schedule, (connector_id, "incremental"))
    assert (row.cron, row.next_run_at) == ("0 3 * * *", at("2026-11-21T03:00"))
