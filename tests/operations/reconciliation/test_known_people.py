"""Of whom it is known by a stamp that nothing differs, of them a whole comparison finds nothing either."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import delete, select

from integration.identity import person_key_of
from integration.models import Connector, Reconciliation
from integration.models.rekeying import rekey
from integration.pipeline.runs import progress as run_progress
from integration.sandbox.store.problems import Refused
from tests.operations.reconciliation.conftest import Bench, stamped
from tests.operations.reconciliation.happenings import HAPPENINGS
from tests.operations.reconciliation.known_people import fine, hold_against_a_whole_comparison
from tests.operations.reconciliation.people import ADA, EVERYBODY, NOBODY, named


@pytest.mark.parametrize("what", HAPPENINGS)
def test_whatever_happened_is_looked_at(known: Bench, compared: set[str], what: str) -> None:
    act, may_be_known = HAPPENINGS[what]
    act(known)
    found = fine(known)
    assert named(found) == may_be_known
    hold_against_a_whole_comparison(known, found, compared)


@pytest.mark.parametrize("seed", range(8))
def test_of_whatever_happened_together_no_more_is_known(known: Bench, compared: set[str], seed: int) -> None:
    """Acts that need what another one took away are left out."""
    for what in random.Random(seed).sample(sorted(HAPPENINGS), 3):
        try:
            HAPPENINGS[what][0](known)
        except (AssertionError, Refused, StopIteration):
            continue
    hold_against_a_whole_comparison(known, fine(known), compared)


def test_who_is_known_is_counted_and_told_as_before(known: Bench, compared: set[str]) -> None:
    services = known.road.services
    with services.db.read() as session:
        first = session.scalars(select(Reconciliation)).one()
    compared.clear()
    second = known.reconcile()
    assert compared == set()
    figures = ("state", "pulled", "skipped", "missing", "doubled", "differs", "surplus", "error")
    assert [getattr(second, name) for name in figures] == [getattr(first, name) for name in figures]
    assert second.pulled == second.skipped == 4
    with services.db.read() as session:
        told = [[line.text for line in run_progress.lines(session, row.id)] for row in (first, second)]
    assert told[0] == told[1]


def test_who_differs_is_found_beside_those_who_are_known(known: Bench, compared: set[str]) -> None:
    known.change(ADA, city="Rome")
    compared.clear()
    row = known.reconcile()
    assert named(compared) == {ADA}
    assert (row.pulled, row.skipped, row.differs) == (4, 3, 1)
    assert [each.detail for each in known.drift()] == [{"city": ["Bonn", "Rome"]}]
    known.change(ADA, city="Bonn")
    compared.clear()
    assert known.reconcile().skipped == 4
    assert compared == set(), "all is as it was when nothing differed"


def test_who_is_given_another_key_or_forgotten_leaves_no_stamp(known: Bench) -> None:
    with known.road.services.db.write() as session:
        rekey(session.connection(), known.road.connector_id, person_key_of(ADA), "f" * 32)
    assert stamped(known) == EVERYBODY - {ADA}
    with known.road.services.db.write() as session:
        session.execute(delete(Connector).where(Connector.id == known.road.connector_id))
    assert stamped(known) == NOBODY
