"""What may be typed for a group of recipients, and how it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.errors import SettingError
from integration.models import AlertGroup
from integration.operations.monitoring.alerts import editing, groups
from tests.operations.alerts.conftest import MakeGroup, Watch, group_of

HOOK = "https://hooks.example.com/services/T0/B0/secret"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


def save(shop: Watch, number: int, **values: Any) -> dict[str, Any]:
    with shop.services.db.write() as session:
        group = session.get_one(AlertGroup, number)
        return editing.save(shop.services, session, group, values, [shop.connector_id])


def test_what_was_typed_is_tidied_up(shop: Watch, group: MakeGroup) -> None:
    number = group(
        name="  Shop \n team ",
        emails="Ada@Example.com; bob@example.com\nbob@example.com, admin@shop.test,x@bücher.example",
        connector_ids=["1"],
        causes=["run_failed", "failing"],
    )
    kept = group_of(shop, number)
    assert kept.name == "Shop team"
    assert kept.emails == ["Ada@example.com", "bob@example.com", "admin@shop.test", "x@xn--bcher-kva.example"]
    assert (kept.connector_ids, kept.causes, kept.webhook) == ([1], ["failing", "run_failed"], None)


def test_the_webhook_is_sealed_kept_and_forgotten(shop: Watch, group: MakeGroup) -> None:
    number = group(emails="ada@example.com", webhook=HOOK)
    kept = group_of(shop, number)
    assert "secret" not in str(kept.webhook)
    assert groups.masked(groups.webhook_of(shop.services.vault, kept)) == "https://hooks.example.com/…"
    assert groups.masked("https://ada:pass@hooks.example.com/x") == "https://hooks.example.com/…"
    assert save(shop, number, name="Team", emails="bob@example.com") == {
        "emails": [["ada@example.com"], ["bob@example.com"]]
    }
    assert groups.webhook_of(shop.services.vault, group_of(shop, number)) == HOOK
    assert save(shop, number, name="Team", emails="bob@example.com", forget_webhook=True) == {"webhook": "changed"}
    assert group_of(shop, number).webhook is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 121}),
        ("emails", {"emails": "ada"}),
        ("emails", {"emails": "ada@example.com\rBcc: eve"}),
        ("emails", {"emails": "ädä@example.com"}),
        ("emails", {"emails": ",".join(f"a{number}@example.com" for number in range(51))}),
        ("emails", {"emails": ""}),
        ("webhook", {"webhook": "hooks.example.com"}),
        ("webhook", {"webhook": "file:///etc/passwd"}),
        ("webhook", {"webhook": "https://hooks.example.com/a b"}),
        ("webhook", {"webhook": "https://[::1"}),
        ("webhook", {"webhook": "http://169.254.169.254/latest"}),
        ("webhook", {"webhook": "http://[fe80::1]/"}),
        ("webhook", {"webhook": "https://hooks.example.com/" + "x" * 2000}),
        ("connector_ids", {"connector_ids": ["1", "99"]}),
        ("causes", {"causes": ["bad weather"]}),
    ],
)
def test_what_makes_no_sense_is_named(shop: Watch, name: str, values: dict[str, Any]) -> None:
    typed = {"name": "Team", "emails": "ada@example.com", **values}
    with shop.services.db.write() as session:
        row = editing.new_group(shop.clock.now(), 1)
        with pytest.raises(SettingError) as caught:
            editing.save(shop.services, session, row, typed, [1])
    assert caught.value.name == name
    assert caught.value.hint
