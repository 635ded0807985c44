"""The lengths of fields that refusals tell: of several the shortest holds, whatever comes first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from integration.models import Connector
from integration.pipeline.connectors import field_list
from integration.pipeline.delivery.batch_context import LIMITS
from integration.pipeline.services import Services
from tests.conftest import NOON


def learn(services: Services, connector_id: int, *told: dict[str, int]) -> dict[str, int]:
    """Learn what the refusals of one batch told, and return what is known afterwards."""
    with services.db.write() as session:
        field_list.learn_limits(session, NOON, connector_id, told)
        known = session.get_one(Connector, connector_id).mautic_facts.get(LIMITS) or {}
    return {alias: one["max"] for alias, one in known.items()}


@pytest.mark.parametrize("lengths", [(250, 249), (249, 250)])
def test_two_addresses_of_one_batch_leave_the_shorter_limit(
    services: Services, connector_id: int, lengths: Sequence[int]
) -> None:
    assert learn(services, connector_id, *({"email": most} for most in lengths)) == {"email": 249}


def test_a_longer_value_refused_later_does_not_widen_what_is_known(services: Services, connector_id: int) -> None:
    learn(services, connector_id, {"email": 249, "city": 64})
    assert learn(services, connector_id, {"email": 250}, {"city": 60}) == {"email": 249, "city": 60}


def test_nothing_told_changes_nothing(services: Services, connector_id: int) -> None:
    assert learn(services, connector_id, {}) == {}
