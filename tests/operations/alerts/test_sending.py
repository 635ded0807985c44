"""Messages reach a real mail server and a real receiver, once each, whatever fails in between (F3)."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import update

from integration.models import AlertGroup, AlertNotice, Delivery
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import hook, mail as mails, notices
from tests.operations.alerts.conftest import Inbox, MakeGroup, Receiver, Watch, free_port, group_of
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


def fail(shop: Watch) -> None:
    """Let something be wrong and be told."""
    shop.hold()
    shop.look(minutes=3)


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


def test_what_fails_is_tried_again_later_and_then_given_up(shop: Watch, group: MakeGroup) -> None:
    group()
    shop.with_settings(smtp_host="127.0.0.1", smtp_port=free_port(), smtp_security="none", mail_from="a@example.com")
    fail(shop)
    for minutes in (1, 5, 30, 120):
        begun = shop.clock.now()
        assert alerts.send(shop.services) == 0
        (notice,) = shop.notices
        assert notice.due_at - begun == timedelta(minutes=minutes)
        assert notice.error.startswith("The mail server refused the connection.")
        shop.clock.advance(minutes=minutes, seconds=-1)
        alerts.send(shop.services)
        assert shop.notices[0].attempts == notice.attempts, "not before it is due"
        shop.clock.advance(seconds=1)
    alerts.send(shop.services)
    (notice,) = shop.notices
    assert (notice.attempts, notice.sent_at, notice.given_up_at) == (5, None, shop.clock.now())
    shop.release()
    shop.look(minutes=1)
    assert shop.told == [("raised", "email")], "nobody was told of it, so nobody is told that it is over"


def test_what_failed_arrives_when_the_server_is_back(shop: Watch, group: MakeGroup, inbox: Inbox) -> None:
    group()
    shop.with_settings(smtp_host="127.0.0.1", smtp_port=free_port(), smtp_security="none", mail_from="a@example.com")
    fail(shop)
    alerts.send(shop.services)
    shop.release()
    shop.look(minutes=1)
    shop.clock.advance(minutes=1)
    with shop.services.db.write() as session:
        session.execute(
            update(AlertNotice).where(AlertNotice.what == notices.RECOVERED).values(due_at=shop.clock.now())
        )
        later = shop.clock.now() + timedelta(minutes=1)
        session.execute(update(AlertNotice).where(AlertNotice.what == notices.RAISED).values(due_at=later))
    shop.with_settings(smtp_port=inbox.port)
    assert alerts.send(shop.services) == 0, "the end is not told before the beginning"
    shop.clock.advance(minutes=1)
    assert [alerts.send(shop.services), alerts.send(shop.services)] == [1, 1]
    assert ["again" in subject for subject in inbox.subjects] == [False, True]
    assert [notice.error for notice in shop.notices] == ["", ""]


def test_without_a_mail_server_the_message_says_what_to_set(shop: Watch, group: MakeGroup) -> None:
    group()
    fail(shop)
    alerts.send(shop.services)
    assert shop.notices[0].error.startswith("No mail server is set. Set SMTP_HOST and MAIL_FROM")


def test_a_dead_mail_server_keeps_no_chat_waiting(shop: Watch, group: MakeGroup, receiver: Receiver) -> None:
    group(name="first")
    group(name="second")
    group(name="chat", webhook=receiver.url)
    fail(shop)
    assert alerts.send(shop.services) == 1
    assert [notice.attempts for notice in shop.notices if notice.way == "email"] == [1, 0], "one try tells enough"


def test_recipients_that_are_refused(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group(emails="ada@example.com, gone@example.com")
    mailing.refuse["gone@example.com"] = "550 No such user"
    fail(shop)
    assert alerts.send(shop.services) == 1
    said = "The mail server refused recipients: gone@example.com (550 No such user)."
    assert (mailing.mails[0][0], shop.notices[0].error) == (["ada@example.com"], said)
    mailing.refuse["ada@example.com"] = "550 No such user"
    shop.hold("store")
    shop.look(minutes=3)
    assert alerts.send(shop.services) == 0
    assert "ada@example.com (550 No such user)" in shop.notices[-1].error


def test_a_message_that_the_server_refuses(shop: Watch, group: MakeGroup, mailing: Inbox) -> None:
    group()
    mailing.refuse["data"] = "554 Looks like spam"
    fail(shop)
    alerts.send(shop.services)
    assert shop.notices[0].error.startswith("The mail server refused the message: 554 Looks like spam")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_chat_that_refuses(shop: Watch, group: MakeGroup, receiver: Receiver, status: int) -> None:
    group(webhook=receiver.url)
    receiver.status = status
    fail(shop)
    assert alerts.send(shop.services) == 0
    assert shop.notices[0].error == f"The webhook answered with status {status}. Make a new one in the chat."
    receiver.status = 204
    shop.clock.advance(minutes=1)
    assert alerts.send(shop.services) == 1


def test_a_private_address_is_called_only_where_the_deployment_allows_it(
    shop: Watch, group: MakeGroup, receiver: Receiver
) -> None:
    number = group(webhook=receiver.url)
    shop.with_settings(private_hosts=("other.example.com",))
    fail(shop)
    alerts.send(shop.services)
    assert "leads into a private network" in shop.notices[0].error
    assert receiver.calls == []
    assert receiver.url not in str(group_of(shop, number).webhook)


def test_a_receiver_that_drips_keeps_no_other_group_waiting(
    shop: Watch, group: MakeGroup, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "TOTAL_TIMEOUT", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as dripping:
        group(webhook=f"http://127.0.0.1:{dripping.getsockname()[1]}/")
        group(webhook=receiver.url)
        fail(shop)
        sending = threading.Thread(target=alerts.send, args=(shop.services,))
        began = time.monotonic()
        sending.start()
        line, _ = dripping.accept()
        with line:
            while not receiver.calls and time.monotonic() - began < 5:
                with suppress(OSError):
                    line.sendall(b"H")
                time.sleep(0.1)
            reached = time.monotonic() - began
            sending.join(timeout=10)
    assert reached < 1.9
    assert time.monotonic() - began < 6
    assert sorted(bool(notice.sent_at) for notice in shop.notices) == [False, True]
    assert "in the time that one call may take" in "".join(notice.error for notice in shop.notices)


@pytest.mark.parametrize("security", ["none", "starttls", "ssl"])
def test_a_mail_server_that_drips_is_left_after_the_total_time(
    shop: Watch, group: MakeGroup, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setattr(mails, "TOTAL_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as dripping:
        shop.with_settings(smtp_host="127.0.0.1", smtp_port=dripping.getsockname()[1], smtp_security=security)
        group()
        group(emails="", webhook=receiver.url)
        fail(shop)
        sending = threading.Thread(target=alerts.send, args=(shop.services,))
        began = time.monotonic()
        sending.start()
        line, _ = dripping.accept()
        with line, suppress(OSError):
            # A record of TLS 1.2 that is said to be long, or a greeting without an end.
            line.sendall(b"\x16\x03\x03\x3f\xff" if security == "ssl" else b"220-")
            while sending.is_alive() and time.monotonic() - began < 5:
                line.sendall(b"x")
                time.sleep(0.1)
        sending.join(timeout=5)
    assert time.monotonic() - began < 4
    assert "took longer than" in "".join(notice.error for notice in shop.notices)
    assert len(receiver.calls) == 1


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
