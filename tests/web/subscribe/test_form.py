"""The subscribe form for a shop's visitors: what it takes, what it refuses, and what it never tells."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from integration.clock import SetClock
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.settings import SubscribeModule
from integration.subscriptions import script
from tests.web.conftest import BROWSER, SHOP, Person, deliveries, text_of
from tests.web.subscribe.conftest import ANNA, THANKS, body, kept, post, send, stamp_of


def test_the_page_may_be_framed_by_the_shop_alone_and_sets_no_cookie(visitor: Person, path: str) -> None:
    page = visitor.client.get(path, headers={**BROWSER, "Referer": f"{SHOP}/"})
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors https://shop.example:443;" in policy
    assert "form-action 'self';" in policy
    assert "X-Frame-Options" not in page.headers
    assert "Set-Cookie" not in page.headers
    assert 'autocomplete="given-name"' in page.text
    assert visitor.client.get("/sign-in").headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("key", ["nobody", "off"])
def test_where_no_form_is_nobody_may_frame_anything(
    visitor: Person, path: str, services: Services, connector_id: int, key: str
) -> None:
    pairs.configure(services, connector_id, {"subscribe.enabled": False})
    path = path if key == "off" else "/subscribe/nobody"
    page = visitor.client.get(path)
    assert (page.status_code, page.headers["X-Frame-Options"]) == (404, "DENY")
    assert visitor.client.get(f"{path}.js").text == script.OFF
    assert visitor.client.post(path, data=ANNA, headers=BROWSER).status_code == 404
    assert send(visitor, path, ANNA).status_code == 404
    assert kept(services) == []


def test_a_form_is_kept_with_the_evidence_and_owed_to_mautic(
    visitor: Person, path: str, services: Services, clock: SetClock
) -> None:
    answer = post(visitor, path, clock, page=f"{SHOP}/news")
    assert (answer.status_code, answer.location) == (303, f"{path}?done=1")
    assert THANKS in text_of(visitor.client.get(answer.location))
    (row,) = kept(services)
    assert (row.email, row.first_name, row.last_name, row.state) == (ANNA["email"], "Anna", "Maier", "confirmed")
    assert (row.consent_text, row.source, row.page) == (SubscribeModule().consent_text, "page", f"{SHOP}/news")
    assert (row.ip, row.created_at) == ("127.0.0.1", clock.now())
    assert [(each.kind, each.source_id, each.event) for each in deliveries(services)] == [
        ("contact", f"subscription-{row.id}", "subscribed")
    ]
    assert "Set-Cookie" not in answer.headers


def test_the_wording_that_was_shown_is_the_evidence_although_it_changed_meanwhile(
    visitor: Person, path: str, services: Services, clock: SetClock, connector_id: int
) -> None:
    stamp = stamp_of(visitor.client.get(path))
    pairs.configure(services, connector_id, {"subscribe.consent_text": "Something else."})
    clock.advance(seconds=5)
    visitor.client.post(path, data={**ANNA, "stamp": stamp}, headers=BROWSER)
    assert [row.consent_text for row in kept(services)] == [SubscribeModule().consent_text]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"email": "anna@shop"}, "Enter a valid e-mail address."),
        ({"email": ""}, "Enter a valid e-mail address."),
        ({"consent": ""}, "Tick the box to subscribe."),
    ],
)
def test_a_mistake_stands_at_its_field_and_what_was_typed_stays(
    visitor: Person, path: str, services: Services, clock: SetClock, values: dict[str, str], said: str
) -> None:
    answer = post(visitor, path, clock, first_name='<i>"Anna"', **values)
    (field,) = values
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-error">{re.escape(said)}<', answer.text)
    assert "i &#34;Anna&#34;" in answer.text
    assert f'value="{values.get("email", ANNA["email"])}"' in answer.text
    assert kept(services) == []


def test_a_mistake_can_be_corrected_at_once_and_a_tick_is_for_the_wording_beside_it(
    visitor: Person, path: str, services: Services, clock: SetClock, connector_id: int
) -> None:
    again = post(visitor, path, clock, email="anna@")
    assert re.search(r'name="consent" value="1" checked', again.text)
    visitor.client.post(path, data={**ANNA, "stamp": stamp_of(again)}, headers=BROWSER)
    assert [row.email for row in kept(services)] == [ANNA["email"]]
    stamp = stamp_of(visitor.client.get(path))
    pairs.configure(services, connector_id, {"subscribe.consent_text": "Something else."})
    clock.advance(seconds=5)
    other = visitor.client.post(path, data={**ANNA, "email": "anna@", "stamp": stamp}, headers=BROWSER)
    assert "Something else." in other.text
    assert not re.search(r'name="consent" value="1" checked', other.text)


@pytest.mark.parametrize(
    ("values", "wait", "agent"),
    [
        ({"website": "https://spam.example"}, 10, "Mozilla/5.0"),
        ({}, 1, "Mozilla/5.0"),
        ({"stamp": "forged"}, 10, "Mozilla/5.0"),
        ({"stamp": ""}, 10, "Mozilla/5.0"),
        ({"first_name": "https://spam.example"}, 10, "Mozilla/5.0"),
        ({}, 10, "Googlebot/2.1"),
        ({}, 10, ""),
    ],
)
def test_a_program_is_thanked_like_anybody_and_nothing_is_kept(
    visitor: Person, path: str, services: Services, clock: SetClock, values: dict[str, str], wait: int, agent: str
) -> None:
    stamp = stamp_of(visitor.client.get(path))
    clock.advance(seconds=wait)
    answer = visitor.client.post(path, data={**ANNA, "stamp": stamp, **values}, headers={"User-Agent": agent})
    assert (answer.status_code, answer.location) == (303, f"{path}?done=1")
    told = send(visitor, path, body(visitor, path, clock, wait, **values), **{"User-Agent": agent})
    assert (told.status_code, told.json) == (200, {"say": THANKS, "go": ""})
    assert kept(services) == []


def test_a_page_that_stood_open_for_long_is_sent_once_more(
    visitor: Person, path: str, services: Services, clock: SetClock
) -> None:
    answer = post(visitor, path, clock, wait=25 * 3600)
    assert "Send the form once more." in text_of(answer)
    assert ANNA["email"] in answer.text
    clock.advance(seconds=5)
    visitor.client.post(path, data={**ANNA, "stamp": stamp_of(answer)}, headers=BROWSER)
    assert len(kept(services)) == 1
    told = send(visitor, path, body(visitor, path, clock, wait=25 * 3600))
    assert (told.status_code, told.json["error"] if told.json else "") == (409, "stamp")


def test_the_script_sends_the_same_form(visitor: Person, path: str, services: Services, clock: SetClock) -> None:
    answer = send(visitor, path, body(visitor, path, clock))
    assert answer.json == {"say": THANKS, "go": ""}
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Set-Cookie" not in answer.headers
    (row,) = kept(services)
    assert (row.email, row.source, row.page) == (ANNA["email"], "script", f"{SHOP}/news")
    wrong = send(visitor, path, body(visitor, path, clock, email="anna@", consent=False))
    assert wrong.status_code == 422
    assert wrong.json is not None
    assert set(wrong.json["fields"]) == {"email", "consent"}


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://shop.example", "https://shop.example:1"]
)
def test_another_sites_page_is_refused(
    visitor: Person, path: str, services: Services, clock: SetClock, origin: str | None
) -> None:
    good = body(visitor, path, clock)
    answer = send(visitor, path, good, origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert visitor.client.get(f"{path}/stamp", headers={"Origin": origin} if origin else {}).status_code == 403
    if origin is not None:
        posted = visitor.client.post(path, data={**ANNA, "stamp": good["stamp"]}, headers={**BROWSER, "Origin": origin})
        assert posted.status_code == 403
    assert kept(services) == []


@pytest.mark.parametrize(("sent", "status"), [(b"{", 400), (b"[]", 422), (b"[" * 30_000, 400), (b"x" * 40_000, 413)])
def test_what_no_form_sends_is_refused(visitor: Person, path: str, sent: bytes, status: int) -> None:
    assert send(visitor, path, sent).status_code == status


def test_an_address_is_taken_three_times_a_day_and_the_answer_is_always_the_same(
    visitor: Person, path: str, services: Services, clock: SetClock
) -> None:
    told = [
        send(visitor, path, body(visitor, path, clock, email=f"{name}@shop.example"))
        for name in ("ANNA",) + ("anna",) * 4
    ]
    assert {(each.status_code, each.text) for each in told} == {(200, told[0].text)}
    assert len(kept(services)) == 3
    send(visitor, path, body(visitor, path, clock, email="bert@shop.example"))
    clock.advance(hours=25)
    send(visitor, path, body(visitor, path, clock))
    assert len(kept(services)) == 5


def test_a_flood_from_one_address_is_stopped_in_the_shops_words(
    make_app: Callable[..., Flask], path: str, services: Services, clock: SetClock
) -> None:
    person = Person(make_app(ratelimit=True).test_client())
    good = body(person, path, clock)
    told = [send(person, path, {**good, "email": f"a{number}@shop.example"}) for number in range(11)]
    assert [each.status_code for each in told] == [200] * 10 + [429]
    assert (told[-1].json or {})["say"] == "This did not work. Try again later."
    assert told[-1].headers["Access-Control-Allow-Origin"] == SHOP
    data = {**ANNA, "stamp": good["stamp"]}
    pages = [person.client.post(path, data=data, headers=BROWSER) for _ in range(11)]
    assert [each.status_code for each in pages] == [303] * 10 + [429]
    assert "This did not work. Try again later." in text_of(pages[-1])
    assert 'name="email"' in pages[-1].text


def test_who_is_not_in_a_frame_goes_on_to_the_shops_page(
    visitor: Person, path: str, services: Services, connector_id: int, clock: SetClock
) -> None:
    pairs.configure(services, connector_id, {"subscribe.go_to": "https://shop.example/thanks"})
    assert "form-action 'self' https://shop.example:443;" in visitor.client.get(path).headers["Content-Security-Policy"]
    done = post(visitor, path, clock).location
    alone = visitor.client.get(done, headers={"Sec-Fetch-Dest": "document"})
    framed = visitor.client.get(done, headers={"Sec-Fetch-Dest": "iframe"})
    assert (alone.status_code, alone.location) == (302, "https://shop.example/thanks")
    assert 'href="https://shop.example/thanks" target="_top"' in framed.text
    assert (send(visitor, path, body(visitor, path, clock)).json or {})["go"] == "https://shop.example/thanks"
