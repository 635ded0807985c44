"""One zone for all times: the shop's on its pages, the organisation's on pages of no shop and on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from integration.models import AuditEntry, Connector
from integration.models.audit import AuditAction
from integration.operations import audit
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of


@pytest.fixture
def rome(services: Services, connector_id: int, record: Callable[..., int]) -> str:
    """The address of a shop in Rome with a dead letter, an audit entry, a token and a user; one in Tokyo is younger."""
    record(7, "dead")
    tokyo = pairs.create(services, organisation_id=1, name="Second shop")
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"timezone": "Europe/Rome"}
        session.get_one(Connector, tokyo).store_facts = {"timezone": "Asia/Tokyo"}
        audit.record(
            session,
            clock_now=services.clock.now(),
            organisation_id=1,
            actor="ann",
            action=AuditAction.UPDATED,
            entity="settings",
        )
    return f"/connectors/{connector_id}"


def test_every_page_writes_times_in_the_zone_its_foot_names(super_admin: Person, rome: str) -> None:
    super_admin.post("/tokens", {"name": "Reader", "scope": "logs", "days": ""})
    seen = 0
    own = [f"{rome}/{name}" for name in ("", "runs", "records", "dead-letters", "activity", "tools/log", "records/1")]
    for place in (*own, "/audit", "/alerts", "/users", "/tokens", "/platform", "/storage"):
        page = super_admin.get(place)
        times = re.findall(r"<time[^>]*>([^<]+)</time>", page.text)
        seen += len(times)
        assert "Times are in Europe/Rome." in text_of(page), place
        assert all(each.endswith(" CET") for each in times), place
    assert seen >= 8


def test_days_of_the_audit_log_are_the_organisations(admin: Person, services: Services, rome: str) -> None:
    late = services.clock.now().replace(hour=23, minute=30)
    with services.db.write() as session:
        session.query(AuditEntry).filter_by(actor="ann").update({"at": late})
    assert "21 Nov 2026, 00:30:00 CET" in text_of(admin.get("/audit?since=2026-11-21&until=2026-11-21"))


def test_another_organisation_has_its_own(stranger: Person, rome: str) -> None:
    assert "Times are in UTC." in text_of(stranger.get("/audit"))
