"""Test connection of a store: reached or not, and its data; each cause of E3 is named, with what to do."""

from __future__ import annotations

import socket

import pytest

from integration.clock import Clock
from integration.http.transport import Route
from integration.operations.support.diagnostics import steps as steps_module, store_steps
from integration.sandbox.store import StoreServer
from integration.store.access import StoreAccess
from integration.store.discovery import discover
from tests.operations.diagnostics.conftest import Certificate, Scripted
from tests.operations.diagnostics.stepping import KEY, customers_and_orders, failure, look, outcome


def test_a_store_that_is_well_over_https(secure_store: StoreServer, certificate: Certificate) -> None:
    steps = look(secure_store.url, ca=certificate.ca)
    assert [step.state for step in steps[:4]] == ["ok"] * 4
    assert steps[0].facts["encrypted"] is True
    assert steps[1].facts["time_zone"] == "Europe/Rome"
    assert steps[3].sentence == "The key is valid and may read and write."
    assert {"orders", "customers", "currency", "version"} <= set(steps[4].facts)
    assert steps[4].facts["currency"] == "EUR"


def test_a_store_that_is_well_over_http(store: StoreServer) -> None:
    steps = look(store.url)
    assert [step.state for step in steps[:4]] == ["ok"] * 4
    assert steps[0].facts["encrypted"] is False


def test_nothing_is_changed_in_the_store(store: StoreServer) -> None:
    before = len(store.state.webhooks)
    look(store.url)
    assert len(store.state.webhooks) == before


def test_steps_come_one_by_one(store: StoreServer) -> None:
    access = StoreAccess(store.url, KEY.key, KEY.secret)
    steps = store_steps(access, writes=True, clock=Clock())
    assert next(steps).number == 1
    assert store.calls.total == 1
    assert next(steps).number == 2


def test_name_that_does_not_exist() -> None:
    step = failure(look("https://shop.invalid"))
    assert outcome(step) == (1, "dns")
    assert step.sentence.startswith("DNS:")


def test_port_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    step = failure(look(f"http://127.0.0.1:{port}"))
    assert outcome(step) == (1, "refused")
    assert step.sentence.startswith("TCP:")


def test_server_that_never_answers(store: StoreServer) -> None:
    store.faults.hang(10)
    access = StoreAccess(store.url, KEY.key, KEY.secret)
    steps = list(store_steps(access, Route(read_timeout=0.2), writes=True, clock=Clock()))
    assert outcome(failure(steps)) == (1, "timeout")


def test_address_that_is_none() -> None:
    assert outcome(failure(look("https://"))) == (1, "bad_address")


def test_private_address_where_it_is_not_allowed(store: StoreServer) -> None:
    assert outcome(failure(look(store.url, private_allowed=()))) == (1, "private_address")


def test_certificate_of_an_unknown_authority(secure_store: StoreServer) -> None:
    step = failure(look(secure_store.url))
    assert outcome(step) == (1, "tls_chain")
    assert step.sentence.startswith("TLS:")


def test_https_asked_of_a_port_that_speaks_http(store: StoreServer) -> None:
    assert outcome(failure(look(store.url.replace("http:", "https:")))) == (1, "tls")


def test_certificate_for_another_name(secure_store: StoreServer, certificate: Certificate) -> None:
    url = secure_store.url.replace("127.0.0.1", "127.0.0.2")
    secure_store.stop()
    secure_store.host = "0.0.0.0"
    secure_store.start()
    assert outcome(failure(look(url, ca=certificate.ca))) == (1, "tls_name")


def test_redirect_to_https_names_where_to(store: StoreServer) -> None:
    store.shop_faults.add("redirect")
    step = failure(look(store.url))
    assert outcome(step) == (1, "redirect_https")
    target = store.url.replace("http:", "https:")
    assert f"{target}/wp-json/" in step.sentence
    assert f"Enter {target} " in step.hint


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://www.localhost:{port}/wp-json/", "redirect_www"),
        ("https://localhost:{port}/wp-json/", "redirect_https"),
        ("http://localhost:{port}/wp-json/", "redirect_loop"),
        ("/en/wp-json/", "redirect_language"),
        ("https://other.test/shop/wp-json/?consumer_secret=cs_hidden", "redirected"),
    ],
)
def test_other_redirects(scripted: Scripted, target: str, code: str) -> None:
    scripted.say("/wp-json/", 301, Location=target.format(port=scripted.server_port))
    step = failure(look(f"http://localhost:{scripted.server_port}"))
    assert outcome(step) == (1, code)
    assert "hidden" not in step.sentence + step.hint


@pytest.mark.parametrize("fault", [500, 503])
def test_a_store_that_fails_names_its_own_log_alone(store: StoreServer, fault: int) -> None:
    store.faults.status(fault, body="<h1>Internal Server Error</h1>")
    step = failure(look(store.url))
    assert outcome(step) == (2, "server_fault" if fault == 500 else "gateway")
    assert "Mautic" not in step.sentence + step.hint


def test_a_slow_store_works_with_a_warning(store: StoreServer, monkeypatch: pytest.MonkeyPatch) -> None:
    customers_and_orders(store)
    monkeypatch.setattr(steps_module, "SLOW_FROM_S", 0.4)
    store.faults.delay(0.5, path="/wp-json/$", times=1)
    steps = look(store.url)
    # On a busy machine others may be slow as well.
    assert {step.state for step in steps} <= {"ok", "warning"}
    assert outcome(steps[0]) == (1, "slow")
    assert "The store is slow: this step took " in steps[0].sentence


@pytest.mark.parametrize("name", ["A & O’Brien", "A &amp; O&#8217;Brien", "A &amp;amp; O&amp;#8217;Brien"])
def test_the_name_of_a_shop_reads_as_it_is_meant(store: StoreServer, name: str) -> None:
    store.state.title = name
    step = look(store.url)[1]
    assert step.sentence == "This is the WordPress site “A & O’Brien”."
    assert step.facts["name"] == "A & O’Brien"
    assert discover(StoreAccess(store.url, KEY.key, KEY.secret)).name == "A & O’Brien"


def test_store_with_data_counts_it(store: StoreServer) -> None:
    customers_and_orders(store)
    steps = look(store.url)
    assert [step.state for step in steps] == ["ok"] * 5
    assert steps[4].facts["orders"] == 20
    assert steps[4].facts["customers"] == 12 + 3


def test_empty_store_is_a_warning(store: StoreServer) -> None:
    step = look(store.url)[4]
    assert (step.state, step.code) == ("warning", "no_data")


def test_answer_that_is_cut(store: StoreServer) -> None:
    store.faults.cut()
    assert outcome(failure(look(store.url))) == (1, "cut")


def test_addresses_that_a_cdn_hides_are_a_warning(store: StoreServer) -> None:
    store.shop.place_order(billing={"email": "ada@example.com"})
    store.faults.add("hide_emails", path="/wp-json/wc/v3/orders$")
    step = look(store.url)[4]
    assert (step.state, step.code) == ("warning", "email_hidden")
    assert "Scrape Shield" in step.hint


@pytest.mark.parametrize(("mode", "place"), [("index_shut", 1), ("index_bare", 2)])
def test_a_hidden_index_is_a_warning_where_the_key_works(store: StoreServer, mode: str, place: int) -> None:
    store.shop.place_order(billing={"email": "ada@example.com"})
    store.mode = mode
    steps = look(store.url)
    assert [step.state for step in steps].count("failed") == 0
    assert (steps[place].state, steps[place].code) == ("warning", "index_hidden")
    assert steps[3].state == "ok"
