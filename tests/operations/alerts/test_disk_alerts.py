"""A disk that fills up: told ahead of time through the book, and without it once the book takes nothing more."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from integration.engines import watch
from integration.models.alert import AlertNotice
from integration.models.disk_faults import READ_ONLY
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import silence
from tests.full_disk import FullDisk, ask_every
from tests.operations.alerts.conftest import Inbox, MakeGroup, Receiver, Watch, make_connector

#: The disk is filled by a limit that only SQLite has.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_every(monkeypatch, 0)


def watch_once(shop: Watch, **later: float) -> None:
    """Do what the clock does with alerts."""
    shop.clock.advance(**later)
    watch.add_jobs(lambda job, seconds: job(), shop.services)


def test_it_is_told_ahead_of_time_and_when_there_is_room(
    shop: Watch, group: MakeGroup, mailing: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_connector(shop.services, "Second")
    group()
    usage = SimpleNamespace(total=10**12, free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    shop.look()
    shop.look(minutes=1)
    assert shop.open == ["disk_low"]
    alerts.send(shop.services)
    assert mailing.subjects == ["[Woo Mautic] All connectors: The disk is nearly full"]
    assert "Less than 500 MB of the disk are free.\nFree some space" in mailing.body()
    assert "All connectors: http://127.0.0.1:8000/storage" in mailing.body()
    usage.free = 10**10
    shop.look(minutes=1)
    assert shop.open == []
    shop.clock.advance(minutes=11)
    alerts.send(shop.services)
    assert mailing.subjects[1] == "[Woo Mautic] All connectors: There is enough room on the disk again"


def test_a_disk_that_fills_up_is_told_through_the_book_while_that_takes_it(
    shop: Watch, group: MakeGroup, mailing: Inbox
) -> None:
    group()
    disk = FullDisk(shop.services.db)
    disk.fill()
    shop.look(minutes=1)
    watch_once(shop, minutes=1)
    assert shop.open == ["disk_full"]
    assert mailing.subjects == ["[Woo Mautic] All connectors: The disk takes nothing more"]
    disk.make_room()
    shop.look(minutes=1)
    assert shop.open == []


def test_a_disk_that_takes_nothing_is_told_without_a_note_once_an_hour(
    shop: Watch, group: MakeGroup, mailing: Inbox, receiver: Receiver
) -> None:
    group()
    group(webhook=receiver.url, causes=["disk_full"])
    group(name="Not for us", causes=["drift"])
    disk = FullDisk(shop.services.db)
    shop.hold()
    shop.clock.advance(minutes=5)
    shop.beat()
    disk.make_read_only()
    for minutes in (0, 1, 30):
        watch_once(shop, minutes=minutes)
    assert mailing.subjects == ["[Woo Mautic] The disk or the database can only be read, so nothing can be saved"]
    assert f"{READ_ONLY}\n\nhttp://127.0.0.1:8000/storage\n" == mailing.body()
    assert [call["event"] for call in receiver.calls] == ["raised"]
    assert READ_ONLY.sentence in receiver.calls[0]["body"]
    assert shop.rows(AlertNotice) == []
    watch_once(shop, minutes=40)
    assert (len(mailing.mails), len(receiver.calls)) == (2, 2)
    assert len({mail["Message-ID"] for _, mail in mailing.mails}) == 2
    disk.make_room()
    watch_once(shop, minutes=1)
    watch_once(shop, minutes=1)
    assert mailing.subjects.count("[Woo Mautic] What is written is saved again") == 1
    assert [call["event"] for call in receiver.calls].count("recovered") == 1


def test_nobody_is_told_who_is_silent_or_when_nobody_can_be_reached(
    shop: Watch, group: MakeGroup, inbox: Inbox
) -> None:
    group()
    FullDisk(shop.services.db).fill()
    full = OperationalError("INSERT", None, OSError(28, "No space left on device"))
    assert alerts.tell(shop.services, full) == 0, "there is no mail server"
    shop.with_settings(smtp_host="127.0.0.1", smtp_port=inbox.port, smtp_security="none", mail_from="a@b.example")
    shop.services.disk.told_at = shop.clock.now()
    assert alerts.tell(shop.services, full) == 0
    shop.clock.advance(minutes=61)
    assert alerts.tell(shop.services, full) == 1
    assert alerts.tell_end(shop.services) == 0, "it is still full"


def test_what_is_silenced_is_not_told(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group()
    with shop.services.db.write() as session:
        silence.begin(session, shop.clock.now(), shop.connector_id, "disk_full", 8, "ada@example.com")
    FullDisk(shop.services.db).fill()
    assert alerts.tell(shop.services, OSError(28, "No space left on device")) == 0
    assert mailing.mails == []


def test_another_error_is_no_matter_of_the_disk(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group()
    with pytest.raises(ZeroDivisionError):
        alerts.tell(shop.services, ZeroDivisionError())
    assert mailing.mails == []
