"""Subscriptions on the road: to the contact with tags and segment, or by a link of an e-mail first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.models import Subscription
from integration.sandbox.mautic.seed import seed
from integration.subscriptions import confirmation
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.subscribers import EMAIL, LINK, subscribe

TOKEN = "{mautic_woo_confirm_url}"


def road_with(make_road: Callable[..., Road], clock: SetClock | None = None, **settings: Any) -> Road:
    road = make_road(
        clock,
        subscribe__enabled=True,
        subscribe__tags="Newsletter,Shop",
        subscribe__segment=1,
        sync__proof_every=0,
        **settings,
    )
    seed(road.mautic.state)
    return road


def contact(road: Road, email: str = EMAIL) -> dict[str, Any]:
    found = road.contact(email)
    tags = set(road.mautic.state.tag_names(found))
    values = {name: found.values.get(name) or "" for name in ("firstname", "lastname")}
    return {**values, "tags": tags, "segments": set(found.segments), "id": found.id}


def rows(road: Road) -> list[Subscription]:
    with road.services.db.read() as session:
        return list(session.query(Subscription).order_by(Subscription.id))


def actions(road: Road) -> list[tuple[str, str, str, str]]:
    return [(each.type, each.action, each.object_id, each.status) for each in road.log()]


def test_a_subscriber_arrives_with_name_tags_and_segment(make_road: Callable[..., Road]) -> None:
    road = road_with(make_road, contacts__enabled=False)
    subscribe(road, first_name="<b>Anna</b>", last_name="Maier & Łuś")
    road.work()
    there = contact(road)
    assert (there["firstname"], there["lastname"]) == ("b Anna /b", "Maier & Łuś")
    assert (there["tags"], there["segments"]) == ({"Newsletter", "Shop"}, {1})
    assert actions(road) == [
        ("contact", "create_or_update", "subscription-1", "success"),
        ("contact", "add_to_segment", "subscription-1", "success"),
    ]
    (row,) = rows(road)
    assert (row.state, row.contact_id, row.problem) == ("sent", there["id"], "")
    assert row.sent_at is not None


def test_a_known_contact_keeps_its_name_and_who_subscribes_anew_gets_back_what_was_taken(
    make_road: Callable[..., Road],
) -> None:
    road = road_with(make_road)
    road.arrive(road.order(EMAIL))
    road.work()
    subscribe(road, first_name="Somebody", last_name="Else")
    road.work()
    assert contact(road)["firstname"] == "Ada"
    found = road.contact(EMAIL)
    found.segments.clear()
    found.tags.clear()
    subscribe(road, EMAIL.upper())
    road.work()
    there = contact(road, found.values["email"])
    assert {"Newsletter", "Shop"} <= there["tags"]
    assert there["segments"] == {1}
    assert [row.state for row in rows(road)] == ["sent", "sent"]


def test_an_unconfirmed_contact_has_its_address_alone_until_the_link_was_followed(
    make_road: Callable[..., Road],
) -> None:
    road = road_with(make_road, SetClock(NOON), subscribe__double_opt_in=True, subscribe__email=1)
    road.mautic.state.emails[1]["customHtml"] = f'<a href="{TOKEN}">Yes</a>'
    subscribe(road, first_name="Anna")
    road.work()
    there = contact(road)
    assert (there["firstname"], there["tags"], there["segments"]) == ("", set(), set())
    (mail,) = road.mautic.state.sent
    link = str(mail["html"]).partition('href="')[2].partition('"')[0]
    assert link.startswith(LINK.partition("{")[0])
    assert (mail["address"], rows(road)[0].mailed_at) == (EMAIL, NOON)
    assert confirmation.confirm(road.services, link.rpartition("/")[2], "192.0.2.8")
    road.work()
    there = contact(road)
    assert (there["firstname"], there["tags"], there["segments"]) == ("Anna", {"Newsletter", "Shop"}, {1})
    assert len(road.mautic.state.sent) == 1
    assert [action for _, action, _, _ in actions(road)] == [
        "create_or_update",
        "send_email",
        "create_or_update",
        "add_to_segment",
    ]
    assert [(row.state, row.problem) for row in rows(road)] == [("sent", "")]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda road: road.mautic.state.emails.clear(), "Mautic has no e-mail 1."),
        (lambda road: road.mautic.state.emails[1].update(isPublished=False), "is not published in Mautic"),
    ],
)
def test_a_link_that_could_not_be_sent_is_said_at_the_subscription(
    make_road: Callable[..., Road], spoilt: Callable[[Road], Any], said: str
) -> None:
    road = road_with(make_road, subscribe__double_opt_in=True, subscribe__email=1)
    spoilt(road)
    subscribe(road)
    road.work()
    (row,) = rows(road)
    assert (row.state, row.mailed_at) == ("pending", None)
    assert said in row.problem


def test_a_subscription_while_mautic_is_away_waits_and_is_confirmed_all_the_same(
    make_road: Callable[..., Road],
) -> None:
    clock = SetClock(NOON)
    road = road_with(make_road, clock, subscribe__double_opt_in=True, subscribe__email=1)
    road.mautic.faults.command({"kind": "status", "value": 503})
    subscribe(road)
    road.work()
    url = str((road.deliveries()[0].payload or {})["confirmation_url"])
    assert confirmation.confirm(road.services, url.rpartition("/")[2], "")
    road.mautic.faults.clear()
    clock.advance(minutes=10)
    road.work()
    clock.advance(minutes=10)
    road.work()
    assert rows(road)[0].state == "sent"
    assert contact(road)["tags"] == {"Newsletter", "Shop"}
    assert clock.now() - NOON < timedelta(days=7)
