"""The figures of the read-back proof."""

from __future__ import annotations

from datetime import timedelta

from integration.models.database import Database
from integration.operations import proof
from integration.pipeline import meter
from integration.pipeline.ports import Ports
from tests.conftest import NOON
from tests.pipeline.conftest import connector_id
from tests.pipeline.conftest import ports

__all__ = ["connector_id", "ports"]


def test_only_the_last_thirty_days_count(db: Database, ports: Ports, connector_id: int) -> None:
    with db.write() as session:
        meter.record(session, connector_id, NOON - timedelta(days=40), proved=100, unproved=50)
        meter.record(session, connector_id, NOON - timedelta(days=2), proved=8, unproved=2, pushed=300)
        meter.record(session, connector_id, NOON, proved=2)
        found = proof.proofs(session, connector_id, NOON)
    assert (found.proved, found.unproved, found.pushed, found.right, found.share) == (10, 2, 300, 8, 80.0)
    assert found.sentence.startswith("2 contacts that were read back differed")


def test_nothing_yet_is_no_success() -> None:
    assert proof.Proofs(0, 0, 5).share is None
    assert "Nothing was read back yet" in proof.Proofs(0, 0, 5).sentence
    assert "Every contact" in proof.Proofs(3, 0, 5).sentence
    assert proof.Proofs(3, 1, 5).sentence.startswith("1 contact that was read back differed")
