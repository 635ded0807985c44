from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integration.config import Deployment
from integration.operations.support.application_log import LineHandler, configure_logging, read_log
from integration.operations.support.line_files import LogLineQuery

log = logging.getLogger("integration.tests")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    root = logging.getLogger()
    level = root.level
    deployment = Deployment(instance_path=tmp_path, secret_key="a secret key of some length", log_level="INFO")
    handler = configure_logging(deployment)
    yield deployment
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_line_has_a_sentence_for_people_and_an_action_for_machines(deployment: Deployment) -> None:
    extra = {"action": "deliver", "connector": 7, "correlation": "abc"}
    log.warning("%d contacts were written.", 3, extra=extra)
    (line,) = read_log(deployment, LogLineQuery()).lines
    assert datetime.fromisoformat(line.pop("at")).tzinfo == UTC
    assert line == {
        "level": "WARNING",
        "sentence": "3 contacts were written.",
        "logger": "integration.tests",
        "action": "deliver",
        "connector": 7,
        "correlation": "abc",
    }


def test_secrets_are_masked_in_sentence_and_trace(deployment: Deployment) -> None:
    try:
        raise ValueError("cannot open https://ann:hunter2@shop.test/?consumer_secret=hunter2")
    except ValueError:
        log.exception("failed with password=%s", "hunter2")
    path = deployment.instance_path / "logs" / "app.log"
    assert "hunter2" not in path.read_text(encoding="utf-8")
    (line,) = read_log(deployment, LogLineQuery()).lines
    assert line["sentence"] == "failed with password=***"
    assert "ValueError: cannot open https://***@shop.test/" in line["trace"]


def test_the_level_is_obeyed_and_lines_are_filtered(deployment: Deployment) -> None:
    log.debug("not written")
    for number in range(3):
        log.info("line %d", number, extra={"connector": number})
    log.error("broken")
    assert [line["sentence"] for line in read_log(deployment, LogLineQuery()).lines] == [
        "broken",
        "line 2",
        "line 1",
        "line 0",
    ]
    assert [x["sentence"] for x in read_log(deployment, LogLineQuery(values={"level": "ERROR"})).lines] == ["broken"]
    assert [x["sentence"] for x in read_log(deployment, LogLineQuery(values={"connector": 1})).lines] == ["line 1"]


def test_configuring_twice_writes_once_and_for_the_owner_only(deployment: Deployment) -> None:
    configure_logging(deployment)
    log.info("once")
    path = deployment.instance_path / "logs" / "app.log"
    assert len([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for handler in [handler for handler in logging.getLogger().handlers if isinstance(handler, LineHandler)]:
        logging.getLogger().removeHandler(handler)
