"""The link that confirms a subscription: nothing without a click, nothing of a wrong link, and nothing in a log."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.masking import mask_text
from integration.models import Subscription
from integration.operations import retention
from integration.pipeline.services import Services
from integration.settings import SubscribeModule
from tests.web.conftest import Person, deliveries, text_of
from tests.web.subscribe.conftest import THANKS, kept, post


def link_of(services: Services) -> str:
    (delivery,) = [each for each in deliveries(services) if each.event == "asked"]
    url = str((delivery.payload or {})["confirmation_url"])
    assert url.startswith("http")
    return url[url.index("/subscribe/confirm/") :]


def test_nothing_is_confirmed_before_the_button_is_pressed(
    visitor: Person, optin: str, services: Services, clock: SetClock
) -> None:
    answer = post(visitor, optin, clock)
    assert SubscribeModule().check_mail in text_of(visitor.client.get(answer.location))
    link = link_of(services)
    for _ in range(2):
        page = visitor.client.get(link)
        visitor.client.head(link)
        assert (page.status_code, "One click and you are subscribed." in text_of(page)) == (200, True)
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in page.headers
    assert [row.state for row in kept(services)] == ["pending"]
    clock.advance(hours=1)
    done = visitor.client.post(link, follow_redirects=True)
    assert THANKS in text_of(done)
    visitor.client.post(link)
    (row,) = kept(services)
    assert (row.state, row.confirmed_at, row.confirmed_ip) == ("confirmed", clock.now(), "127.0.0.1")
    assert [each.event for each in deliveries(services)] == ["asked", "subscribed"]
    assert row.token_digest == hashlib.sha256(link.rpartition("/")[2].encode()).hexdigest()


@pytest.mark.parametrize("days", [0, 7])
def test_a_link_that_nobody_gave_or_that_is_old_confirms_nothing(
    visitor: Person, optin: str, services: Services, clock: SetClock, days: int
) -> None:
    post(visitor, optin, clock)
    link = link_of(services) if days else "/subscribe/confirm/nobody"
    clock.advance(days=days, seconds=1)
    page = visitor.client.post(link, follow_redirects=True)
    assert (page.status_code, "This link is no longer valid." in text_of(page)) == (410, True)
    assert [row.state for row in kept(services)] == ["pending"]


def test_who_does_not_confirm_is_forgotten_after_seven_days(
    visitor: Person, optin: str, services: Services, clock: SetClock
) -> None:
    post(visitor, optin, clock)
    post(visitor, optin, clock, email="bert@shop.example")
    with services.db.write() as session:
        session.scalars(select(Subscription)).all()[1].state = "sent"
    clock.advance(days=7, seconds=-60)
    retention.prune(services, clock.now())
    assert len(kept(services)) == 2
    clock.advance(minutes=2)
    retention.prune(services, clock.now())
    assert [row.email for row in kept(services)] == ["bert@shop.example"]
    (first, _) = deliveries(services)
    assert (first.state, first.payload) == ("discarded", None)


def test_the_link_stands_in_no_log() -> None:
    assert "abcdefghijklmnop" not in mask_text("https://our.example/subscribe/confirm/abcdefghijklmnopqrstuvwx")
