"""The subscribe form for a shop's visitors: what it takes, what it refuses, and what it never tells."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration import shop_lines
from integration.clock import SetClock
from integration.masking import mask_text
from integration.models import Connector, Delivery, Subscription
from integration.operations import retention
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.settings import SubscribeModule
from integration.subscriptions import script
from tests.web.conftest import Person, text_of

SHOP = "https://shop.example"
BROWSER = {"User-Agent": "Mozilla/5.0"}
ANNA = {"email": "anna@shop.example", "first_name": "Anna", "last_name": "Maier", "consent": "1"}
THANKS = "Thank you. You are subscribed."


@pytest.fixture
def path(services: Services, connector_id: int, connector: Callable[[], Connector]) -> str:
    pairs.connect(services, connector_id, store_url=SHOP)
    pairs.configure(services, connector_id, {"subscribe.enabled": True, "subscribe.names": True})
    return f"/subscribe/{connector().cart_key}"


@pytest.fixture
def optin(services: Services, connector_id: int, path: str) -> str:
    pairs.configure(services, connector_id, {"subscribe.double_opt_in": True, "subscribe.email": 3})
    return path


def stamp_of(page: TestResponse) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', page.text)
    assert found is not None
    return html.unescape(found[1])


def post(visitor: Person, path: str, clock: SetClock, wait: int = 10, **values: Any) -> TestResponse:
    """Fill in and send the form of the page as a browser does."""
    stamp = stamp_of(visitor.client.get(path, headers=BROWSER))
    clock.advance(seconds=wait)
    data = {**ANNA, "stamp": stamp, **values}
    return visitor.client.post(path, data=data, headers={**BROWSER, "Origin": "http://localhost"})


def send(visitor: Person, path: str, body: Any, origin: str | None = SHOP, **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "text/plain;charset=UTF-8", **BROWSER, **headers}
    return visitor.client.post(f"{path}/send", data=data, headers=given | ({"Origin": origin} if origin else {}))


def body(visitor: Person, path: str, clock: SetClock, wait: int = 10, **values: Any) -> dict[str, Any]:
    answer = visitor.client.get(f"{path}/stamp", headers={"Origin": SHOP, **BROWSER})
    assert answer.json is not None
    clock.advance(seconds=wait)
    return {**ANNA, "consent": True, "stamp": answer.json["stamp"], "page": f"{SHOP}/news?x=1", **values}


def kept(services: Services) -> list[Subscription]:
    with services.db.read() as session:
        return list(session.scalars(select(Subscription).order_by(Subscription.id)))


def owed(services: Services) -> list[Delivery]:
    with services.db.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


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
    assert [(each.kind, each.source_id, each.event) for each in owed(services)] == [
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


# -- confirmation ---------------------------------------------------------------------------------------------------


def link_of(services: Services) -> str:
    (delivery,) = [each for each in owed(services) if each.event == "asked"]
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
    assert [each.event for each in owed(services)] == ["asked", "subscribed"]
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
    (first, _) = owed(services)
    assert (first.state, first.payload) == ("discarded", None)


# -- the lines for the shop -----------------------------------------------------------------------------------------


def test_the_script_is_small_and_of_its_source(visitor: Person, path: str) -> None:
    answer = visitor.client.get(f"{path}.js")
    assert answer.content_type.startswith("text/javascript")
    assert len(answer.data) < 4 * 1024
    assert path in answer.text
    assert shop_lines.PLACE not in answer.text
    made_of = hashlib.sha256(script.SOURCE.read_bytes()).hexdigest()[:16]
    assert script.MINIFIED.read_text(encoding="utf-8").startswith(f"/* {made_of} */"), "run `make script`"


def test_words_cannot_leave_their_quotes(visitor: Person, path: str, services: Services, connector_id: int) -> None:
    odd = '</script><b>\'); system("x") \\'
    module = SubscribeModule(enabled=True, consent_text=odd, button=odd, email_label=odd)
    assert "</script>" not in script.script(module, "https://our.example/subscribe/x")
    assert "<b>" not in script.frame_line(module, "https://our.example/subscribe/x")
    snippet = script.wordpress_snippet(module, "https://our.example/subscribe/x")
    assert "&lt;/script&gt;&lt;b&gt;&#x27;); system(&quot;x&quot;) \\\\" in snippet
    pairs.configure(services, connector_id, {"subscribe.consent_text": f"{odd} https://shop.example/privacy."})
    page = visitor.client.get(path).text
    assert "<b>" not in page
    assert '<a href="https://shop.example/privacy"' in page


def test_the_link_stands_in_no_log() -> None:
    assert "abcdefghijklmnop" not in mask_text("https://our.example/subscribe/confirm/abcdefghijklmnopqrstuvwx")
