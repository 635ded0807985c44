"""Discovery: the store behind whatever somebody types, and a name for what is there instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integration.errors import NotSetUp, ServiceError
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.store import discovery
from integration.store.access import StoreAccess
from integration.store.client import StoreClient


@pytest.mark.parametrize("typed", ["", "/", "/wp-json/", "/wp-admin/", "/wp-login.php"])
def test_the_root_is_found_behind_what_people_paste(shop: StoreServer, access: StoreAccess, typed: str) -> None:
    found = discovery.discover(replace(access, url=shop.url + typed))
    assert found.rest_root == f"{shop.url}/wp-json"
    assert (found.has_woocommerce, found.timezone, found.currency) == (True, "Europe/Rome", "EUR")
    assert found.wc_version


@pytest.mark.parametrize(
    ("mode", "code"),
    [("plain_permalinks", "plain_permalinks"), ("plugin_off", "no_woocommerce"), ("maintenance", "maintenance")],
)
def test_what_is_wrong_with_the_store_is_named(shop: StoreServer, access: StoreAccess, mode: str, code: str) -> None:
    shop.mode = mode
    with pytest.raises(ServiceError) as caught:
        discovery.discover(access)
    assert caught.value.code == code
    assert caught.value.sentence


def test_another_system_at_the_address_is_no_wordpress(access: StoreAccess) -> None:
    with MauticServer() as mautic, pytest.raises(NotSetUp) as caught:
        discovery.discover(replace(access, url=mautic.url))
    assert caught.value.code == "not_wordpress"


def test_the_fingerprint_stays_as_long_as_the_shop(access: StoreAccess) -> None:
    assert discovery.discover(access).fingerprint == discovery.discover(access).fingerprint


def test_the_statuses_are_the_stores_own(client: StoreClient) -> None:
    found = dict(discovery.statuses(client))
    assert {"completed", "refunded", "shipped"} <= set(found)


@pytest.mark.parametrize(
    ("closed", "currency", "decimals"),
    [("nothing", "EUR", 2), ("system_status", "EUR", None), ("(system_status|data/currencies/current)", None, None)],
)
def test_the_currency_is_told_by_whoever_may_be_asked(
    shop: StoreServer, access: StoreAccess, closed: str, currency: str | None, decimals: int | None
) -> None:
    shop.faults.add("wrong_credentials", path=rf".*/{closed}$")
    found = discovery.discover(access)
    assert (found.currency, found.decimals, bool(found.locale)) == (currency, decimals, decimals is not None)


def test_a_firewall_before_the_system_report_does_not_hide_the_currency(shop: StoreServer, access: StoreAccess) -> None:
    shop.faults.add("status", 403, path=r".*/system_status$")
    assert discovery.discover(access).currency == "EUR"


@pytest.mark.parametrize("mode", ["index_shut", "index_bare"])
def test_a_hidden_index_is_judged_by_what_the_key_gets(shop: StoreServer, access: StoreAccess, mode: str) -> None:
    shop.mode = mode
    found = discovery.discover(access)
    assert (found.rest_root, found.currency, found.gmt_offset) == (f"{shop.url}/wp-json", "EUR", None)
    assert "the index of the API" in found.untold


@pytest.mark.parametrize("mode", ["index_shut", "index_bare", "rest_disabled", "plugin_off"])
def test_what_is_hidden_from_the_key_too_is_shut(shop: StoreServer, access: StoreAccess, mode: str) -> None:
    shop.mode = mode
    code = "no_woocommerce" if mode in ("index_bare", "plugin_off") else "rest_disabled"
    with pytest.raises(NotSetUp) as caught:
        discovery.discover(access if mode in ("rest_disabled", "plugin_off") else replace(access, key=""))
    assert caught.value.code == code
