"""Test connection of a store: each cause of E3 is named, with what to do."""

from __future__ import annotations

import json
import socket
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest

from integration.clock import Clock
from integration.clock import SetClock
from integration.operations.diagnostics import Step
from integration.operations.diagnostics import store_steps
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store import seed
from integration.sandbox.store.auth import Pair
from integration.store.access import StoreAccess
from integration.transport import Route
from tests.operations.diagnostics.conftest import Certificate
from tests.operations.diagnostics.conftest import Scripted

KEY = Pair("ck_" + "1" * 40, "cs_" + "1" * 40)


def look(
    url: str, pair: Pair = KEY, *, writes: bool = True, ca: str | None = None, clock: Clock | None = None, **route: Any
) -> list[Step]:
    access = StoreAccess(url, pair.key, pair.secret, ca)
    return list(store_steps(access, Route(ca=ca, read_timeout=5, **route), writes=writes, clock=clock or Clock()))


def failure(steps: list[Step]) -> Step:
    """Return the one step that failed; those before it are no failures, those after it are skipped."""
    (failed,) = [step for step in steps if step.state == "failed"]
    assert [step.number for step in steps] == [1, 2, 3, 4, 5]
    assert all(step.state == "skipped" for step in steps[failed.number :])
    assert failed.sentence.endswith(".") and failed.hint.endswith(".")
    return failed


def warning(steps: list[Step]) -> Step:
    """Return the one step with a warning; the others are well."""
    (warned,) = [step for step in steps if step.state == "warning"]
    assert {step.state for step in steps} == {"ok", "warning"}
    assert warned.hint.endswith(".")
    return warned


def outcome(step: Step) -> tuple[int, str]:
    return step.number, step.code


def customers_and_orders(server: StoreServer) -> None:
    seed(server.state, customers=12, orders=20)


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
    store.breakages.add("redirect")
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
        ("/en/wp-json/", "redirected"),
        ("https://other.test/shop/wp-json/?consumer_secret=cs_hidden", "redirected"),
    ],
)
def test_other_redirects(scripted: Scripted, target: str, code: str) -> None:
    scripted.say("/wp-json/", 301, Location=target.format(port=scripted.server_port))
    step = failure(look(f"http://localhost:{scripted.server_port}"))
    assert outcome(step) == (1, code)
    assert "hidden" not in step.sentence + step.hint


def test_plain_permalinks(store: StoreServer) -> None:
    store.mode = "plain_permalinks"
    step = failure(look(store.url))
    assert outcome(step) == (2, "plain_permalinks")
    assert "Permalinks" in step.hint


def test_rest_api_shut_by_a_security_plugin(store: StoreServer) -> None:
    store.mode = "rest_disabled"
    step = failure(look(store.url))
    assert outcome(step) == (2, "rest_disabled")
    assert "Only authenticated users can access the REST API" in step.sentence


def test_api_of_woocommerce_alone_is_shut(store: StoreServer) -> None:
    store.breakages.add("rest-disabled", "/wp-json/wc/")
    assert outcome(failure(look(store.url))) == (4, "rest_disabled")


def test_bot_wall(store: StoreServer) -> None:
    store.breakages.add("captcha")
    step = failure(look(store.url))
    assert outcome(step) == (2, "bot_wall")
    assert "/wp-json/*" in step.hint
    assert "Just a moment" in step.facts["answer"]


def test_bot_wall_of_cloudflare(scripted: Scripted) -> None:
    scripted.say("/wp-json/", 403, "<html><title>Sorry</title></html>", cf_mitigated="challenge")
    assert outcome(failure(look(scripted.url))) == (2, "bot_wall")


def test_bot_wall_that_stands_before_signed_requests_only(store: StoreServer) -> None:
    store.breakages.add("captcha", "/wp-json/wc/")
    assert outcome(failure(look(store.url))) == (4, "bot_wall")


def test_page_where_the_api_should_be(scripted: Scripted) -> None:
    page = '<!DOCTYPE html><html><link href="/wp-content/themes/x.css"><form>captcha</form></html>'
    scripted.say("/wp-json/", 200, page, Content_Type="text/html")
    assert outcome(failure(look(scripted.url))) == (2, "html_answer")


def test_firewall(scripted: Scripted) -> None:
    scripted.say("/wp-json/", 406, "<html>Not Acceptable! Mod_Security</html>", Content_Type="text/html")
    assert outcome(failure(look(scripted.url))) == (2, "firewall")


def test_password_of_the_web_server(scripted: Scripted) -> None:
    scripted.say("/wp-json/", 401, "<html>401</html>", WWW_Authenticate='Basic realm="staging"')
    assert outcome(failure(look(scripted.url))) == (2, "web_login")


def test_maintenance(store: StoreServer) -> None:
    store.mode = "maintenance"
    step = failure(look(store.url))
    assert outcome(step) == (2, "maintenance")
    assert ".maintenance" in step.hint


def test_maintenance_that_begins_in_between(store: StoreServer) -> None:
    access = StoreAccess(store.url, KEY.key, KEY.secret)
    steps = store_steps(access, writes=True, clock=Clock())
    first = [next(steps), next(steps)]
    store.mode = "maintenance"
    assert outcome(failure([*first, *steps])) == (4, "maintenance")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("fatal", "php_fatal"), ("db", "database_down"), ("php-down", "gateway"), ("status:500", "server_fault")],
)
def test_breakdowns(store: StoreServer, kind: str, code: str) -> None:
    store.breakages.add(kind)
    assert outcome(failure(look(store.url))) == (2, code)


@pytest.mark.parametrize(("kind", "code"), [("notice", "php_notice"), ("bom", "bom")])
def test_something_printed_before_the_json_works_with_a_warning(store: StoreServer, kind: str, code: str) -> None:
    customers_and_orders(store)
    store.breakages.add(kind)
    step = warning(look(store.url))
    assert outcome(step) == (2, code)


def test_rate_limit(store: StoreServer) -> None:
    store.faults.rate_limit(0, retry_after=30)
    step = failure(look(store.url))
    assert outcome(step) == (2, "throttled")
    assert "30 seconds" in step.sentence


def test_rate_limit_that_is_reached_in_between(store: StoreServer) -> None:
    store.faults.rate_limit(1)
    assert outcome(failure(look(store.url))) == (4, "throttled")


def test_woocommerce_is_off(store: StoreServer) -> None:
    store.mode = "plugin_off"
    step = failure(look(store.url))
    assert outcome(step) == (3, "no_woocommerce")
    assert "wp/v2" in step.facts["namespaces"]


def test_woocommerce_is_too_old(scripted: Scripted) -> None:
    scripted.say("/wp-json/", 200, json.dumps({"name": "Old", "namespaces": ["wp/v2", "wc/v1", "wc/v2"]}))
    assert outcome(failure(look(scripted.url))) == (3, "old_woocommerce")


def test_api_at_another_place_is_found_by_the_link_header(scripted: Scripted) -> None:
    link = f'<{scripted.url}/index.php/wp-json/>; rel="https://api.w.org/"'
    scripted.say("/", 200, "<html>wp-content</html>", Link=link, Content_Type="text/html")
    scripted.say("/index.php/wp-json/", 200, json.dumps({"name": "Shop", "namespaces": ["wp/v2"]}))
    steps = look(scripted.url)
    assert steps[1].facts["rest_root"] == f"{scripted.url}/index.php/wp-json"
    assert outcome(failure(steps)) == (3, "no_woocommerce")


def test_other_site(scripted: Scripted) -> None:
    scripted.say("/", 200, "<html>My garden</html>", Content_Type="text/html")
    assert outcome(failure(look(scripted.url))) == (2, "not_wordpress")


def test_mautic_given_as_store(mautic: MauticServer) -> None:
    step = failure(look(mautic.url))
    assert outcome(step) == (2, "mautic_as_store")


def test_no_key(store: StoreServer) -> None:
    assert outcome(failure(look(store.url, Pair("", "")))) == (4, "no_key")


@pytest.mark.parametrize("secure", [True, False])
def test_wrong_key(store: StoreServer, secure_store: StoreServer, certificate: Certificate, secure: bool) -> None:
    server = secure_store if secure else store
    step = failure(look(server.url, Pair("ck_" + "9" * 40, KEY.secret), ca=certificate.ca))
    assert outcome(step) == (4, "wrong_key")
    assert "ck_" in step.hint


def test_wrong_secret_over_https(secure_store: StoreServer, certificate: Certificate) -> None:
    step = failure(look(secure_store.url, Pair(KEY.key, "cs_" + "9" * 40), ca=certificate.ca))
    assert outcome(step) == (4, "wrong_secret")
    assert "cs_" in step.hint


def test_wrong_secret_over_http_is_a_wrong_signature(store: StoreServer) -> None:
    step = failure(look(store.url, Pair(KEY.key, "cs_" + "9" * 40)))
    assert outcome(step) == (4, "bad_signature")
    assert "secret" in step.hint


@pytest.mark.parametrize("secure", [True, False])
def test_read_only_key(store: StoreServer, secure_store: StoreServer, certificate: Certificate, secure: bool) -> None:
    server = secure_store if secure else store
    step = failure(look(server.url, server.credentials.read_only, ca=certificate.ca))
    assert outcome(step) == (4, "read_only_key")
    assert "Read/Write" in step.hint
    assert not server.state.webhooks


def test_read_only_key_is_enough_where_nothing_is_written(store: StoreServer) -> None:
    customers_and_orders(store)
    steps = look(store.url, store.credentials.read_only, writes=False)
    assert [step.state for step in steps] == ["ok"] * 5


def test_write_only_key(store: StoreServer) -> None:
    assert outcome(failure(look(store.url, store.credentials.write_only))) == (4, "write_only_key")


def test_key_without_rights(store: StoreServer) -> None:
    step = failure(look(store.url, store.credentials.no_rights))
    assert outcome(step) == (4, "no_rights")
    assert "orders, customers, webhooks" in step.sentence


def test_key_of_a_shop_manager_is_enough(store: StoreServer) -> None:
    assert look(store.url, store.credentials.manager)[3].state == "ok"


def test_authorization_header_is_dropped(secure_store: StoreServer, certificate: Certificate) -> None:
    customers_and_orders(secure_store)
    secure_store.faults.basic_disabled()
    step = warning(look(secure_store.url, ca=certificate.ca))
    assert outcome(step) == (4, "header_dropped")


def test_clocks_that_differ_are_a_warning(store: StoreServer) -> None:
    customers_and_orders(store)
    step = warning(look(store.url, clock=SetClock(datetime.now(UTC) + timedelta(minutes=10))))
    assert outcome(step) == (1, "clock_skew")
    assert "10 minutes behind" in step.sentence
    ahead = warning(look(store.url, clock=SetClock(datetime.now(UTC) - timedelta(minutes=10))))
    assert "10 minutes ahead" in ahead.sentence


def test_clocks_that_differ_by_four_minutes_are_fine(store: StoreServer) -> None:
    assert look(store.url, clock=SetClock(datetime.now(UTC) + timedelta(minutes=4)))[0].state == "ok"


def test_signatures_fail_when_clocks_differ_by_more_than_a_quarter_of_an_hour() -> None:
    # Here it is the store's clock that is wrong, and its Date header does not tell.
    now = datetime.now(UTC)
    with StoreServer(clock=SetClock(now + timedelta(minutes=30))) as server:
        steps = look(server.url, clock=SetClock(now - timedelta(minutes=30)))
    step = failure(steps)
    assert outcome(step) == (4, "clock")
    assert "30 minutes" in step.sentence


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
