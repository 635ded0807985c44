"""The rules for Prometheus and the dashboard for Grafana ask for metrics, labels and states that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.models import Connector, Organisation
from integration.models.counts import Meter
from integration.models.delivery import OPEN, DeliveryState
from integration.models.run import RunState
from integration.operations.monitoring import heartbeat, metrics
from integration.pipeline.connectors import connectors
from integration.pipeline.outbox.tally import Tally, state_of
from integration.pipeline.services import Services, open_services
from tests.conftest import NOON
from tests.pipeline.rows import run
from tests.schema import make_tables

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
#: A metric with what stands in its braces, which is not needed.
_ASKED = re.compile(r"(woo_mautic_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
#: Metric -> label -> the values that it has.
Exposed = dict[str, dict[str, set[str]]]


@pytest.fixture
def services(tmp_path: Path, clock: SetClock) -> Iterator[Services]:
    url = f"sqlite:///{tmp_path / 'm.sqlite'}"
    services = open_services(Deployment(instance_path=tmp_path, secret_key="k" * 32, database_url=url), clock=clock)
    make_tables(services.db)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield services
    services.db.dispose()


@pytest.fixture
def exposed(services: Services) -> Exposed:
    """What /metrics gives of an installation that has records and runs in every state that there is."""
    # Of one connector one run at a time is under way.
    numbers = {state: connectors.create(services, organisation_id=1, name=state) for state in RunState}
    number = numbers[RunState.COMPLETED]
    for role in heartbeat.WORKING_ROLES:
        heartbeat.beat(services, role, role)
    tally = Tally(number)
    for state, partial in product(DeliveryState, (False, True)):
        tally.settled(NOON, "order", state_of(state, partial), "")
    with services.db.write() as session:
        tally.write(session)
        session.add(Meter(connector_id=number, hour=NOON, pulled=1))
        session.add_all(run(each, state=state) for state, each in numbers.items())
    return given_out(services)


def given_out(services: Services) -> Exposed:
    """What stands in the text of /metrics."""
    with services.db.read() as session:
        text = metrics.text(services, session.scalars(select(Connector)).all()).decode()
    found: Exposed = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                found.setdefault(sample.name, {}).setdefault(label, set()).add(value)
    return {name: labels for name, labels in found.items() if not name.endswith("_created")}


def expressions() -> Iterator[tuple[str, str]]:
    """Yield (where, expression) of all files that ask for metrics."""
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    board = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    yield from (("variable", each["query"]) for each in board["templating"]["list"] if each["type"] == "query")


def named(operator: str, value: str) -> list[str]:
    """The values that one condition on a label names; none where a variable of the dashboard stands."""
    if value.startswith("$"):
        return []
    return value.split("|") if "~" in operator else [value]


def test_rules_and_panels_ask_for_what_there_is(exposed: Exposed) -> None:
    asked = {(where, *found) for where, text in expressions() for found in _ASKED.findall(text)}
    assert {metric for _, metric, _ in asked} == set(exposed)
    for where, metric, braces in asked:
        for label, *condition in _LABEL.findall(braces):
            assert label in exposed[metric], where
            assert set(named(*condition)) <= exposed[metric][label], where


def test_the_panel_of_what_waits_has_all_that_waits_and_failed(exposed: Exposed) -> None:
    [braces] = [
        braces
        for where, text in expressions()
        for metric, braces in _ASKED.findall(text)
        if metric == "woo_mautic_records" and where == "Records that wait or failed"
    ]
    [states] = [named(operator, value) for label, operator, value in _LABEL.findall(braces) if label == "state"]
    assert set(states) == {state_of(state, False) for state in (*OPEN, DeliveryState.DEAD)}


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    [group] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert all(rule["annotations"][text].endswith(".") for text in ("summary", "description")), rule["alert"]
        told: Any = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        assert set(told) <= {"name", "connector", "instance"}


def test_the_dashboard_has_no_two_panels_in_one_place_and_the_scrape_its_token() -> None:
    board = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in board["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells) and max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    [scrape] = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert (scrape["scheme"], scrape["metrics_path"]) == ("https", "/metrics")
    assert "credentials_file" in scrape["authorization"]
    assert f'job="{scrape["job_name"]}"' in (FOLDER / "alerts.yml").read_text(encoding="utf-8")
