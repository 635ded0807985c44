"""Test connection of a store: what answers in its place, and what is odd about its answers."""

from __future__ import annotations

import json

import pytest

from integration.clock import Clock
from integration.operations.support.diagnostics import store_steps
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.store.access import StoreAccess
from tests.operations.diagnostics.conftest import Scripted
from tests.operations.diagnostics.stepping import KEY, customers_and_orders, failure, look, outcome, warning


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
    store.shop_faults.add("rest-disabled", "/wp-json/wc/")
    assert outcome(failure(look(store.url))) == (4, "rest_disabled")


def test_bot_wall(store: StoreServer) -> None:
    store.shop_faults.add("captcha")
    step = failure(look(store.url))
    assert outcome(step) == (2, "bot_wall")
    assert "/wp-json/*" in step.hint
    assert "Just a moment" in step.facts["answer"]


def test_bot_wall_of_cloudflare(scripted: Scripted) -> None:
    scripted.say("/wp-json/", 403, "<html><title>Sorry</title></html>", cf_mitigated="challenge")
    assert outcome(failure(look(scripted.url))) == (2, "bot_wall")


def test_bot_wall_that_stands_before_signed_requests_only(store: StoreServer) -> None:
    store.shop_faults.add("captcha", "/wp-json/wc/")
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
    store.shop_faults.add(kind)
    assert outcome(failure(look(store.url))) == (2, code)


@pytest.mark.parametrize(("kind", "code"), [("notice", "php_notice"), ("bom", "bom")])
def test_something_printed_before_the_json_works_with_a_warning(store: StoreServer, kind: str, code: str) -> None:
    customers_and_orders(store)
    store.shop_faults.add(kind)
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


def test_a_key_never_goes_to_another_host_that_the_link_header_names(scripted: Scripted) -> None:
    link = '<https://other.test/wp-json/>; rel="https://api.w.org/"'
    scripted.say("/", 200, "<html>wp-content</html>", Link=link, Content_Type="text/html")
    step = failure(look(scripted.url))
    assert outcome(step) == (2, "redirected")
    assert "https://other.test" in step.sentence and "https://other.test" in step.hint


def test_other_site(scripted: Scripted) -> None:
    scripted.say("/", 200, "<html>My garden</html>", Content_Type="text/html")
    assert outcome(failure(look(scripted.url))) == (2, "not_wordpress")


def test_mautic_given_as_store(mautic: MauticServer) -> None:
    step = failure(look(mautic.url))
    assert outcome(step) == (2, "mautic_as_store")
