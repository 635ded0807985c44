"""The figures of the read-back proof."""

from __future__ import annotations

from datetime import timedelta

from integration.models.database import Database
from integration.operations.reconciliation import read_back
from integration.pipeline import usage
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.conftest import connector_id, services

__all__ = ["connector_id", "services"]


def test_only_the_last_thirty_days_count(db: Database, services: Services, connector_id: int) -> None:
    with db.write() as session:
        usage.record(session, connector_id, NOON - timedelta(days=40), proved=100, unproved=50)
        usage.record(session, connector_id, NOON - timedelta(days=2), proved=8, unproved=2, pushed=300)
        usage.record(session, connector_id, NOON, proved=2)
        found = read_back.proofs(session, connector_id, NOON)
    assert (found.proved, found.unproved, found.pushed, found.right, found.share) == (10, 2, 300, 8, 80.0)
    assert found.sentence.startswith("2 contacts that were read back differed")


def test_nothing_yet_is_no_success() -> None:
    assert read_back.Proofs(0, 0, 5).share is None
    assert "Nothing was read back yet" in read_back.Proofs(0, 0, 5).sentence
    assert "Every contact" in read_back.Proofs(3, 0, 5).sentence
    assert read_back.Proofs(3, 1, 5).sentence.startswith("1 contact that was read back differed")
