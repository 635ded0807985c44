"""Settings: what is stored loads whatever it is, what is set is checked, and each error names its setting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from integration.config import load
from integration.errors import SettingError
from integration.settings import Modules, keys
from integration.settings.connection import Connection
from integration.settings.retention import Retention

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
KEYS = st.sampled_from(sorted(keys()))
FIRST_VERSION: dict[str, Any] = {
    "contacts": {"enabled": False, "default_tags": ["VIP", " b "], "gone": 1},
    "orders": {"emails": {"completed": 3}, "statuses": ["completed"], "notes": True},
    "sync": {"every": 900, "cron": "30 3 * * 1-5"},
    "carts": {"enabled": True},
}


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Return stored JSON of dotted keys."""
    stored: dict[str, Any] = {}
    for key, value in values.items():
        module, _, name = key.partition(".")
        stored.setdefault(module, {})[name] = value
    return stored


def test_settings_of_the_first_version_load_as_before() -> None:
    modules = Modules.from_json(FIRST_VERSION)
    assert (modules.contacts.enabled, modules.contacts.default_tags) == (False, ("VIP", " b "))
    assert (modules.orders.emails, modules.orders.statuses, modules.orders.notes) == (
        {"completed": 3},
        ("completed",),
        True,
    )
    assert (modules.sync.every, modules.sync.cron, modules.sync.lanes) == (900, "30 3 * * 1-5", 2)


@pytest.mark.parametrize(
    ("stored", "all_of_them"),
    [
        ({}, False),
        ({"roles": []}, True),
        ({"roles": ["customer"]}, False),
        ({"roles": [], "role_choice": "these"}, False),
    ],
)
def test_settings_from_before_there_was_a_choice_of_roles_mean_what_they_meant(
    stored: dict[str, Any], all_of_them: bool
) -> None:
    assert Modules.from_json({"contacts": stored}).contacts.takes("shop_owner") is all_of_them


def test_an_odd_value_gives_way_to_its_default_and_the_others_stay() -> None:
    modules = Modules.from_json({"sync": {"every": "soon", "lanes": 99, "batch_max": 100}, "orders": 7})
    assert (modules.sync.every, modules.sync.lanes, modules.sync.batch_max) == (300, 2, 100)
    assert modules.orders == Modules().orders


def test_a_change_of_what_was_read_does_not_reach_the_next_reader() -> None:
    stored = {"sync": {"every": 900}}
    assert Modules.from_json(stored).sync.every == 900
    stored["sync"]["every"] = 3600
    assert Modules.from_json(stored).sync.every == 3600
    assert Modules.from_json({"sync": {"every": 900}}).sync.every == 900


@given(ANY_JSON | st.dictionaries(st.sampled_from(["contacts", "orders", "sync", "alerts"]), ANY_JSON))
def test_any_stored_json_loads(stored: Any) -> None:
    Modules.from_json(stored)


@given(st.dictionaries(KEYS, ANY_JSON, max_size=5))
def test_any_stored_values_load_and_are_kept_from_then_on(values: dict[str, Any]) -> None:
    modules = Modules.from_json(nested(values))
    assert Modules.from_json(json.loads(json.dumps(modules.to_json()))) == modules


@settings(max_examples=200)
@given(st.dictionaries(KEYS | st.text(max_size=12), ANY_JSON, max_size=4))
def test_whatever_is_set_is_taken_or_named(values: dict[str, Any]) -> None:
    try:
        modules = Modules().with_values(values)
    except SettingError as error:
        named = {error.name, *(each.name for each in error.others)} - set(values)
        # What contradicts a setting of its module need not be among those that were set: it is what is missing.
        assert {name.partition(".")[0] for name in named} <= {key.partition(".")[0] for key in values}
        assert error.hint
    else:
        assert Modules.from_json(json.loads(json.dumps(modules.to_json()))) == modules


def test_each_of_several_wrong_settings_is_named() -> None:
    with pytest.raises(SettingError) as refused:
        Modules().with_values({"orders.notes": "perhaps", "sync.every": "-1", "sync.lanes": "2", "x.y": "1"})
    error = refused.value
    assert error.at("orders.notes") == "“orders.notes” must be yes or no, not “perhaps”. Write yes or no."
    assert error.at("sync.every") == "“sync.every” must be between 0 and 604800. Choose a number in that range."
    assert error.at("x.y").startswith("There is no setting “x.y”.")
    assert error.at("sync.lanes") == ""


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("sync.policy", "none", "Choose one of store, mautic, fill."),
        ("sync.cron", "{0} 0 30 2 *", "“{0} 0 30 2 *” is no crontab."),
        ("orders.emails", "completed:many", "“orders.emails” must be a whole number, not “many”."),
        ("orders.emails", "completed:-1", "“orders.emails” must be at least 0."),
        ("sync.every", 1.5, "“sync.every” must be a whole number, not “1.5”."),
        ("sync.every", True, "“sync.every” must be a whole number, not “True”."),
        ("orders.notes", 1, "“orders.notes” must be yes or no, not “1”."),
    ],
)
def test_the_error_says_what_to_write_instead(key: str, value: Any, said: str) -> None:
    with pytest.raises(SettingError) as refused:
        Modules().with_value(key, value)
    assert (refused.value.name, said in str(refused.value)) == (key, True), str(refused.value)


def test_an_odd_number_of_days_in_the_database_is_as_usual() -> None:
    kept = Retention.from_json({"audit": "for ever", "runs": "30", "gone": 1})
    assert (kept.audit, kept.runs) == (730, 30)


def test_each_wrong_number_of_days_is_named() -> None:
    with pytest.raises(SettingError) as refused:
        Retention().with_values({"audit": "0", "runs": "x", "errors": "5"})
    assert [each.name for each in (refused.value, *refused.value.others)] == ["runs", "audit"]


@pytest.mark.parametrize("host", ["::1", "[::1]", " [0:0::1] "])
def test_an_ipv6_host_is_named_in_brackets_however_it_is_written(tmp_path: Path, host: str) -> None:
    found = load({"HOST": host, "PORT": "81"}, tmp_path)
    assert (found.place, found.base_url) == ("[::1]:81", "http://[::1]:81")
    assert "[" not in found.host
    assert load({"HOST": "localhost"}, tmp_path).base_url == "http://localhost:8000"


def test_private_hosts_are_off_until_they_are_named(tmp_path: Path) -> None:
    assert load({}, tmp_path).private_hosts == ()
    named = load({"PRIVATE_HOSTS": "Mautic.lan, 10.1.2.3/8"}, tmp_path)
    assert named.private_hosts == ("mautic.lan", "10.0.0.0/8")
    with pytest.raises(SettingError, match="is no network"):
        load({"PRIVATE_HOSTS": "10.0.0/8/9"}, tmp_path)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com/wp/", "https://shop.example.com/wp"),
        ("localhost:8080", "https://localhost:8080"),
        ("127.0.0.1:9", "https://127.0.0.1:9"),
        ("http://mautic", "http://mautic"),
        ("http://my_shop.local", "http://my_shop.local"),
        ("http://[::1]:8080/m", "http://[::1]:8080/m"),
        ("https://bücher.example", "https://bücher.example"),
        ("", ""),
    ],
)
def test_addresses_that_can_be_called_are_taken(typed: str, stored: str) -> None:
    assert Connection.checked({"name": "Shop", "store_url": typed}).store_url == stored
