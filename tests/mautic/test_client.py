from __future__ import annotations

from datetime import timedelta

import pytest

from integration.errors import NotSetUp, Throttled, Unreachable
from integration.http.transport import Exchange
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from tests.mautic.script import DROP, NOON, Script, canned, page

OK = canned({"success": 1})


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        ("", "/api/contacts"),
        ("/", "/api/contacts"),
        ("/mautic//", "/mautic/api/contacts"),
        ("/index.php", "/index.php/api/contacts"),
        ("/sub/index.php/", "/sub/index.php/api/contacts"),
    ],
)
def test_paths_hold_no_double_slash(behind: str, expected: str, script: Script) -> None:
    client = MauticClient(MauticAccess(script.url + behind, "basic", "u", "p"))
    script.then(OK)
    client.get("/contacts/")
    assert script.seen[0].path == expected


def test_json_goes_out_as_utf8_and_lone_surrogates_do_not_break_it(basic: MauticClient, script: Script) -> None:
    script.then(OK)
    basic.post("contacts/new", {"firstname": "Jörg 🎉 \ud83d"})
    assert script.seen[0].json == {"firstname": "Jörg 🎉 ?"}
    assert script.seen[0].headers["Content-Type"] == "application/json"


def test_version_and_calls_are_kept(basic: MauticClient, script: Script) -> None:
    script.then("001", "019")
    with pytest.raises(NotSetUp):
        basic.get("users/self")
    assert basic.version == ""
    basic.get("users/self")
    assert (basic.version, basic.calls) == ("5.2.1", 2)


def test_mautics_clock_is_read_from_its_answers(basic: MauticClient, script: Script) -> None:
    script.then(OK, canned({}, Date="Fri, 20 Nov 2026 12:05:00 GMT"), canned({}, Date="yesterday"))
    basic.get("contacts")
    assert basic.theirs(NOON) == NOON
    basic.get("contacts")
    basic.get("contacts")
    assert basic.theirs(NOON) == NOON + timedelta(minutes=5)


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_blocked_method_goes_as_post_and_that_is_remembered(status: int, basic: MauticClient, script: Script) -> None:
    script.then(page(status), OK, OK)
    assert basic.patch("contacts/2/edit", {"city": "X"}) == {"success": 1}
    basic.delete("contacts/2/delete")
    assert [(seen.method, seen.headers.get("X-HTTP-Method-Override")) for seen in script.seen] == [
        ("PATCH", None),
        ("POST", "PATCH"),
        ("POST", "DELETE"),
    ]
    assert script.seen[1].json == {"city": "X"}


def test_a_firewall_that_blocks_both_is_named(basic: MauticClient, script: Script) -> None:
    script.then(page(403), page(403), page(403), page(403))
    for _ in range(2):
        with pytest.raises(NotSetUp) as told:
            basic.patch("contacts/2/edit", {"city": "X"})
        assert told.value.code == "firewall"
    assert [seen.method for seen in script.seen] == ["PATCH", "POST", "PATCH", "POST"]


def test_mautics_own_403_is_not_sent_again(basic: MauticClient, script: Script) -> None:
    script.then("349")
    with pytest.raises(Exception, match="lacks a right"):
        basic.patch("contacts/2/edit", {"city": "X"})
    assert len(script.seen) == 1


def test_nothing_is_repeated_by_itself(basic: MauticClient, script: Script) -> None:
    script.then(DROP, "359")
    with pytest.raises(Unreachable) as cut:
        basic.get("contacts")
    assert (cut.value.code, cut.value.sent) == ("cut", True)
    with pytest.raises(Throttled) as wait:
        basic.get("contacts")
    assert wait.value.retry_after == pytest.approx(1795208245 - NOON.timestamp())
    assert len(script.seen) == 2


def test_redirects_are_not_followed(basic: MauticClient, script: Script) -> None:
    script.then(canned({}, 301, Location=script.url + "/elsewhere"))
    with pytest.raises(NotSetUp, match="/elsewhere"):
        basic.get("contacts")
    assert len(script.seen) == 1


def test_the_observer_sees_each_exchange_and_the_correlation_travels(script: Script) -> None:
    seen: list[Exchange] = []
    access = MauticAccess(script.url, "basic", "u", "p")
    client = MauticClient(access, observer=seen.append, correlation="c-1")
    script.then(OK)
    client.post("contacts/new", {"email": "a@example.com"})
    assert [(exchange.method, exchange.status) for exchange in seen] == [("POST", 200)]
    assert script.seen[0].headers["X-Correlation-ID"] == "c-1"
