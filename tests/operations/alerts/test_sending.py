"""Messages reach a real mail server and a real receiver, once each (F3)."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import update

from integration.models import AlertGroup, AlertNotice, Delivery
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import notices
from tests.operations.alerts.conftest import Inbox, MakeGroup, Receiver, Watch, fail
from tests.pipeline.rows import delivery

RAISED = """Sending to Mautic is on hold: Mautic refused the connection.
Check that the server runs.
Since 20 Nov 2026, 12:00 UTC.
2 records wait to be sent. Nothing is lost.

Connector Sunflower: http://127.0.0.1:8000/connectors/1/connection
Alerts, silence: http://127.0.0.1:8000/alerts
"""
RECOVERED = """Records are sent to Mautic again.
It was: Mautic refused the connection.
It lasted 2 hours 7 minutes, from 20 Nov 2026, 12:00 UTC to 20 Nov 2026, 14:07 UTC.
3 records waited: 2 caught up, 1 still waits.

Connector Sunflower: http://127.0.0.1:8000/connectors/1/connection
Alerts, silence: http://127.0.0.1:8000/alerts
"""


def test_the_way_of_an_alert_through_the_mail_server(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group(emails="ada@example.com, bob@example.com")
    shop.add(delivery(1, "1", "ready", person_key="a"), delivery(1, "2", "ready", person_key="b"))
    fail(shop)
    assert [alerts.send(shop.services), alerts.send(shop.services)] == [1, 0]
    ((recipients, mail),) = mailing.mails
    assert recipients == ["ada@example.com", "bob@example.com"]
    assert mail["Subject"] == "[Woo Mautic] Sunflower: Sending to Mautic is on hold"
    assert (mail["From"], mail["To"]) == ("Shop <alerts@shop.example.com>", "ada@example.com, bob@example.com")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == shop.clock.now()
    assert mailing.body() == RAISED
    shop.add(delivery(1, "3", "ready", 60, person_key="c"))
    shop.clock.advance(hours=2)
    shop.release()
    shop.look(minutes=4)
    assert alerts.send(shop.services) == 0, "first it must last"
    with shop.services.db.write() as session:
        settled = {"state": "delivered", "settled_at": shop.clock.now() + timedelta(minutes=2)}
        session.execute(update(Delivery).where(Delivery.source_id != "3").values(settled))
    shop.clock.advance(minutes=10)
    assert alerts.send(shop.services) == 1
    ended = mailing.mails[-1][1]
    assert ended["Subject"] == "[Woo Mautic] Sunflower: Records are sent to Mautic again"
    assert ended["In-Reply-To"] == mail["Message-ID"] == "<alert-1-1-raised@shop.example.com>"
    assert mailing.body() == RECOVERED
    assert [notice.error for notice in shop.notices] == ["", ""]


def test_the_way_of_an_alert_to_a_chat(shop: Watch, group: MakeGroup, receiver: Receiver) -> None:
    group(webhook=receiver.url)
    shop.hold()
    shop.look(minutes=3)
    assert [alerts.send(shop.services), alerts.send(shop.services)] == [1, 0]
    (call,) = receiver.calls
    assert call["text"].startswith(
        "[Woo Mautic] Sunflower: Sending to Mautic is on hold\nSending to Mautic is on hold:"
    )
    assert (call["event"], call["alert"]["cause"], call["alert"]["connector"]) == ("raised", "held_mautic", "Sunflower")
    assert (call["alert"]["since"], call["alert"]["ended_at"]) == ("2026-11-20T12:00:00+00:00", None)
    assert call["alert"]["url"] == "http://127.0.0.1:8000/connectors/1/connection"
    shop.release()
    shop.look(minutes=1)
    shop.clock.advance(minutes=10)
    alerts.send(shop.services)
    assert [each["event"] for each in receiver.calls] == ["raised", "recovered"]
    assert receiver.calls[-1]["alert"]["ended_at"] == "2026-11-20T12:04:00+00:00"


def test_a_chat_sees_no_mention_or_link_of_others(shop: Watch, group: MakeGroup, receiver: Receiver) -> None:
    group(webhook=receiver.url)
    fail(shop)
    with shop.services.db.write() as session:
        session.execute(update(AlertNotice).values(body="<!channel> <https://bad.example.com|look> & more"))
    alerts.send(shop.services)
    assert receiver.calls[0]["text"].endswith("&lt;!channel&gt; &lt;https://bad.example.com|look&gt; &amp; more")


def test_a_name_cannot_break_the_headers(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group()
    from integration.models import Connector

    with shop.services.db.write() as session:
        session.get_one(Connector, 1).name = "Rosé\r\nBcc: eve@example.com\n\n<b>body</b>"
    fail(shop)
    alerts.send(shop.services)
    ((recipients, mail),) = mailing.mails
    assert recipients == ["ada@example.com"]
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("[Woo Mautic] Rosé Bcc: eve@example.com <b>body</b>: ")


def test_two_processes_send_once(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group()
    fail(shop)
    shop.hold("store")
    shop.look(minutes=3)
    start = threading.Barrier(2)
    sent: list[int] = []

    def process() -> None:
        start.wait()
        sent.append(alerts.send(shop.services))

    threads = [threading.Thread(target=process) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(sent) == 2
    assert len(set(mailing.subjects)) == len(mailing.subjects) == 2


def test_a_group_that_lost_its_recipients(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    number = group()
    fail(shop)
    with shop.services.db.write() as session:
        session.get_one(AlertGroup, number).emails = []
    assert alerts.send(shop.services) == 0
    assert shop.notices[0].error.startswith("The group has no such recipient any more.")
    assert mailing.mails == []


def test_a_test_message_goes_every_way(shop: Watch, group: MakeGroup, mailing: Inbox, receiver: Receiver) -> None:
    number = group(emails="ada@example.com", webhook=receiver.url)
    for _ in range(2):
        with shop.services.db.write() as session:
            assert notices.tell_test(shop.services, session, session.get_one(AlertGroup, number)) == 2
    assert alerts.send(shop.services) == 4
    assert mailing.subjects == ["[Woo Mautic] Test message"] * 2
    assert [call["event"] for call in receiver.calls] == ["test", "test"]
    assert receiver.calls[0]["alert"] is None
