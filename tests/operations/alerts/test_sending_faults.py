"""Messages that cannot be sent: tried again, said at the message, and in nobody else's way (F3)."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import update

from integration.models import AlertNotice
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import hook, mail as mails, notices
from tests.operations.alerts.conftest import Inbox, MakeGroup, Receiver, Watch, fail, group_of
from tests.postgres import free_port


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
    monkeypatch.setattr(hook, "TOTAL_TIMEOUT", 4.0)
    with socket.create_server(("127.0.0.1", 0)) as dripping:
        group(webhook=f"http://127.0.0.1:{dripping.getsockname()[1]}/")
        group(webhook=receiver.url)
        fail(shop)
        sending = threading.Thread(target=alerts.send, args=(shop.services,))
        began = time.monotonic()
        sending.start()
        line, _ = dripping.accept()
        with line:
            while not receiver.calls and time.monotonic() - began < 8:
                with suppress(OSError):
                    line.sendall(b"H")
                time.sleep(0.1)
            reached = time.monotonic() - began
            sending.join(timeout=10)
    assert reached < 3.9
    assert time.monotonic() - began < 10
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
            while sending.is_alive() and time.monotonic() - began < 8:
                line.sendall(b"x")
                time.sleep(0.1)
        sending.join(timeout=5)
    assert time.monotonic() - began < 7
    assert "took longer than" in "".join(notice.error for notice in shop.notices)
    assert len(receiver.calls) == 1
