"""The embedded engine: delivers by itself, within a second when idle, and stops cleanly."""

from __future__ import annotations

from integration.engines.embedded import Embedded
from integration.operations.monitoring import heartbeat
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from tests.bench.world import order_changes
from tests.engines.conftest import accept, connect
from tests.waiting import wait_for


def test_what_is_accepted_is_delivered_without_anybody_asking(live: Services, mautic: MauticServer) -> None:
    connector_id = connect(live, mautic)
    engine = Embedded(live)
    engine.start()
    try:
        accept(live, connector_id, order_changes(3))
        assert wait_for(lambda: mautic.state.contact("buyer3@example.com") is not None, seconds=20)
        with live.db.read() as session:
            assert heartbeat.alive(session, live.clock.now(), "embedded")
    finally:
        engine.stop()


def test_a_lost_bell_loses_nothing(live: Services, mautic: MauticServer) -> None:
    connector_id = connect(live, mautic)
    accept(live, connector_id, order_changes(2))
    engine = Embedded(live)
    engine.start()
    try:
        assert wait_for(lambda: mautic.state.contact("buyer2@example.com") is not None, seconds=20)
    finally:
        engine.stop()
