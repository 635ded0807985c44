"""The daily summary: at seven o'clock of the shop's own time, once, with the figures of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integration.models import Connector
from integration.operations.monitoring import alerts
from integration.pipeline import usage
from tests.operations.alerts.conftest import Inbox, MakeGroup, Watch, group_of, make_connector
from tests.pipeline.rows import delivery

SUMMARY = """Sunflower, http://127.0.0.1:8000/connectors/1/
- In 24 hours: 1,200 records read, 1,100 written to Mautic, 60 skipped, 4 failed, 31 calls to Mautic.
- Waiting to be sent: 1. Dead letters: 1.
- Dead letters wait: 1 record has failed for good and waits for a person. Since 20 Nov 2026, 12:00 UTC.

Tulip, http://127.0.0.1:8000/connectors/2/
- In 24 hours: 0 records read, 0 written to Mautic, 0 skipped, 0 failed, 0 calls to Mautic.
- Waiting to be sent: 0. Dead letters: 0.

Alerts: http://127.0.0.1:8000/alerts
"""


def zone(shop: Watch, name: str) -> None:
    with shop.services.db.write() as session:
        session.get_one(Connector, shop.connector_id).store_facts = {"timezone": name}


@pytest.mark.parametrize(
    ("name", "due"),
    [
        ("", datetime(2026, 11, 21, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 20, 18, tzinfo=UTC)),
    ],
)
def test_the_next_one_comes_at_seven_of_the_shops_clock(
    shop: Watch, group: MakeGroup, name: str, due: datetime
) -> None:
    zone(shop, name)
    assert group_of(shop, group(digest=True)).digest_at == due


def test_shops_in_several_zones_go_by_the_deployments_clock(shop: Watch, group: MakeGroup) -> None:
    make_connector(shop.services, "Tulip")
    zone(shop, "America/New_York")
    shop.with_settings(timezone="Europe/Rome")
    assert group_of(shop, group(digest=True)).digest_at == datetime(2026, 11, 21, 6, tzinfo=UTC)


def test_the_summary_has_the_figures_of_a_day(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    make_connector(shop.services, "Tulip")
    number = group(digest=True, causes=["failing"])
    group(name="no summary", causes=["failing"])
    shop.add(delivery(1, "1", "dead"), delivery(1, "2", "ready"))
    shop.look(seconds=30)
    with shop.services.db.write() as session:
        usage.record(session, 1, shop.clock.now() - timedelta(days=2), pulled=7)
        counts = {"pulled": 1200, "pushed": 1100, "skipped": 60, "failed": 4, "mautic_calls": 31}
        usage.record(session, 1, shop.clock.now(), **counts)
    shop.look(hours=18, minutes=59)
    assert shop.told == []
    shop.look(minutes=1)
    shop.look(seconds=30)
    assert shop.told == [("digest", "email")]
    assert alerts.send(shop.services) == 1
    assert mailing.subjects == ["[Woo Mautic] Daily summary: 1 alert is open"]
    assert mailing.body() == SUMMARY
    assert group_of(shop, number).digest_at == datetime(2026, 11, 22, 7, tzinfo=UTC)


def test_summaries_that_were_missed_are_not_made_up_for(shop: Watch, group: MakeGroup) -> None:
    group(digest=True)
    shop.look(days=5)
    shop.look(minutes=1)
    assert shop.told == [("digest", "email")]


def test_old_summaries_leave(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group(digest=True, causes=["drift"])
    shop.look(days=1)
    alerts.send(shop.services)
    shop.look(days=31)
    assert len(shop.notices) == 1
    assert alerts.send(shop.services) == 1
