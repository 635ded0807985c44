"""An installation that was put back from a backup sends nothing twice: Mautic is asked what was sent since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integration.clock import SetClock
from integration.operations import backup
from integration.pipeline.connectors import fingerprint
from integration.pipeline.services import open_services
from integration.sandbox.mautic.seed import seed as seed_mautic
from tests.postgres import free_port
from tests.road.conftest import Road


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_sent_after_the_backup_is_looked_up_and_the_rest_is_sent(
    make_road: Callable[..., Road], tmp_path: Path
) -> None:
    clock = SetClock(datetime.now(UTC))
    old = make_road(clock, orders__notes=True, orders__create_fields=True, orders__emails={"completed": 1})
    seed_mautic(old.mautic.state)
    old.mautic.state.notes.clear()
    waits, unknown, unsent = (old.order(f"{name}@example.com") for name in ("ada", "bob", "cleo"))
    old.arrive(waits)
    made = backup.make(old.services.deployment, clock, tmp_path)
    old.arrive(unknown)
    old.work()
    assert (len(old.mautic.state.notes), len(old.mautic.state.sent)) == (2, 2)

    place = {"database_url": f"sqlite:///{tmp_path / 'new.sqlite'}", "port": free_port()}
    deployment = old.services.deployment.model_copy(update=place)
    backup.restore(deployment, clock, made.file)
    new = Road(open_services(deployment, clock=clock), old.connector_id, old.store, old.mautic)
    new.arrive(unknown, unsent)
    writes = new.writes()
    new.work()
    assert new.writes() == writes

    with new.services.db.write() as session:
        fingerprint.confirm_same(session, clock.now(), new.connector_id)
    new.work()
    assert new.states() == {"delivered"}
    notes = [str(note["text"]) for note in new.mautic.state.notes.values()]
    for order in (waits, unknown, unsent):
        assert sum(f"[order {order['id']} completed]" in text for text in notes) == 1
    told = sorted(each["tokens"]["{order_number}"] for each in new.mautic.state.sent)
    assert told == sorted(str(order["number"]) for order in (waits, unknown, unsent))
    new.services.db.dispose()
