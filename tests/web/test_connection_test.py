"""Test connection: ten steps against the stand-ins, on unsaved values, live and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.errors import Unreachable
from integration.models import Connector
from integration.pipeline.connectors import connectors as pairs, holds
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person, text_of

KEY, SECRET = "ck_" + "1" * 40, "cs_" + "1" * 40


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def typed(store: StoreServer, mautic: MauticServer) -> dict[str, str]:
    known = mautic.credentials
    return {
        "name": "Sunflower",
        "store_url": store.url,
        "store_key": KEY,
        "store_secret": SECRET,
        "mautic_url": mautic.url,
        "mautic_method": "basic",
        "mautic_user": known.user,
        "mautic_password": known.password,
        "mautic_client_secret": "not used here",
    }


@pytest.fixture
def path(connector_id: int) -> str:
    return f"/connectors/{connector_id}/connection/test"


def states(page: str) -> list[str]:
    return re.findall(r'<li class="step step-(\w+)"', page)


def test_all_ten_steps_are_shown_for_values_that_are_not_saved(
    admin: Person, path: str, typed: dict[str, str], connector: Callable[[], Connector], mautic: MauticServer
) -> None:
    answer = admin.post(path, typed)
    assert answer.status_code == 200
    assert len(states(answer.text)) == 10
    assert not {"failed", "skipped"} & set(states(answer.text))
    assert "Both connections work" in text_of(answer)
    assert "was tested but not saved" in text_of(answer)
    assert connector().store_url == "https://127.0.0.1:9"
    for secret in (SECRET, mautic.credentials.password):
        assert secret not in answer.text


def test_live_it_comes_one_line_a_step(admin: Person, path: str, typed: dict[str, str]) -> None:
    answer = admin.post(path, typed, headers={"X-Live": "1"})
    first, *steps, last = answer.text.splitlines()
    assert 'id="steps-store"' in first
    assert 'id="steps-mautic"' in first
    assert [re.findall(r'data-into="([\w-]+)"', line) for line in steps] == [["steps-store"]] * 5 + [
        ["steps-mautic"]
    ] * 5
    assert 'data-into="verdict"' in last
    assert answer.headers["Content-Security-Policy"]


def test_a_wrong_secret_is_named_with_what_to_do_and_the_other_side_is_still_tried(
    admin: Person, path: str, typed: dict[str, str]
) -> None:
    answer = admin.post(path, typed | {"mautic_password": "wrong"})
    found = states(answer.text)
    assert "failed" not in found[:5]
    assert found[8:] == ["failed", "skipped"]
    assert "The test failed." in text_of(answer)
    assert "What to do:" in text_of(answer)


def test_nobody_answering_is_said(admin: Person, connector_id: int, path: str) -> None:
    answer = admin.post(path, {"name": "x", "store_url": "https://127.0.0.1:9", "mautic_url": "https://127.0.0.1:9"})
    assert states(answer.text) == (["failed"] + ["skipped"] * 4) * 2


def test_addresses_without_scheme_are_tried_with_https(admin: Person, path: str) -> None:
    fresh = {"store_key": KEY, "store_secret": SECRET, "mautic_client_secret": "x", "mautic_password": "x"}
    answer = admin.post(path, {"name": "x", "store_url": "127.0.0.1:1", "mautic_url": "127.0.0.1:1", **fresh})
    assert answer.status_code == 200
    assert states(answer.text)[0] == "failed"


def test_support_tries_what_is_saved_whatever_it_types(
    support: Person, services: Services, connector_id: int, path: str, typed: dict[str, str]
) -> None:
    pairs.connect(services, connector_id, **typed)
    answer = support.post(path, {"store_url": "https://evil.example.com", "store_key": "ck_x"})
    assert len(states(answer.text)) == 10
    assert "Both connections work" in text_of(answer)


def test_the_calls_are_captured_while_debug_mode_is_on(
    app, admin: Person, services: Services, connector_id: int, path: str, typed: dict[str, str]
) -> None:
    from integration.operations.support.debug_capture import Capture
    from integration.pipeline.services import with_observers

    capture = Capture(services.deployment.instance_path / "logs", services.clock)
    app.extensions["services"] = with_observers(services, capture.observer)
    admin.post(f"/connectors/{connector_id}/connection/debug", {"switch": "on", "duration": "1h"})
    admin.post(path, typed)
    page = admin.get(f"/connectors/{connector_id}/logs").text
    assert "/wp-json/wc/v3" in page
    assert SECRET not in page
    assert typed["mautic_password"] not in page


def test_a_green_test_of_what_is_saved_ends_the_wait_of_a_hold(
    support: Person,
    path: str,
    typed: dict[str, str],
    services: Services,
    connector_id: int,
    mautic: MauticServer,
    clock: SetClock,
) -> None:
    pairs.connect(services, connector_id, **{**typed, "store_secret": "cs_wrong"})
    later = clock.now() + timedelta(minutes=5)
    with services.db.write() as session:
        for service in ("store", "mautic"):
            holds.hold(session, clock.now(), connector_id, Unreachable(service, "refused", "No.")).probe_at = later
    assert states(support.post(path).text).count("failed") == 1
    with services.db.read() as session:
        held = {hold.service: hold.probe_at for hold in holds.open_holds(session, connector_id)}
        row = session.get_one(Connector, connector_id)
        assert (held, row.store_rest_root) == ({"store": later, "mautic": clock.now()}, "")
        assert row.fields_at == clock.now()
    pairs.connect(services, connector_id, store_secret=SECRET)
    with services.db.write() as session:
        holds.current(session, connector_id, "store").probe_at = later
    support.post(path, headers={"X-Live": "1"}).get_data()
    with services.db.read() as session:
        assert {hold.probe_at for hold in holds.open_holds(session, connector_id)} == {clock.now()}
        assert session.get_one(Connector, connector_id).store_rest_root


def test_a_green_test_of_typed_values_says_nothing_of_the_saved_ones(
    admin: Person, path: str, typed: dict[str, str], services: Services, connector_id: int, clock: SetClock
) -> None:
    later = clock.now() + timedelta(minutes=5)
    with services.db.write() as session:
        holds.hold(session, clock.now(), connector_id, Unreachable("mautic", "refused", "No.")).probe_at = later
    assert "failed" not in states(admin.post(path, typed).text)
    with services.db.read() as session:
        assert holds.open_holds(session, connector_id)[0].probe_at == later
        assert session.get_one(Connector, connector_id).fields_at is None
