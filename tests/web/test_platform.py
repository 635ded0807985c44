"""The platform view of super admins: totals, filters, organisations."""

from __future__ import annotations

import re

import pytest

from integration.errors import Unreachable
from integration.models import Organisation
from integration.pipeline.connectors import connectors, holds
from integration.pipeline.services import Services
from tests.web.conftest import SECRETS, Person, both_have_answered, text_of


@pytest.fixture
def three(services: Services, connector_id: int) -> None:
    """One that is fine, one that is held, one of another organisation that is paused."""
    where = {"store_url": "http://store.test", "mautic_url": "http://mautic.test", "mautic_client_id": "1", **SECRETS}
    held = connectors.create(services, organisation_id=1, name="Tulip", **where)
    paused = connectors.create(services, organisation_id=2, name="Orchid", is_demo=True, **where)
    connectors.pause(services, paused)
    both_have_answered(services, connector_id)
    with services.db.write() as session:
        holds.hold(session, services.clock.now(), held, Unreachable("mautic", "refused", "It refused.", ""))


def test_all_connectors_of_all_organisations_are_shown(super_admin: Person, three: None) -> None:
    text = text_of(super_admin.get("/platform"))
    assert "Connectors 3 Active 1 Error 1 held or failing Paused 1 Organisations 2" in text
    assert "Orchid Other Ltd Paused Demo" in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=tul", ["Tulip"]),
        ("q=other+ltd", ["Orchid"]),
        ("status=error", ["Tulip"]),
        ("status=paused&type=demo", ["Orchid"]),
        ("type=live", ["Sunflower", "Tulip"]),
        ("status=odd&type=x", ["Sunflower", "Tulip", "Orchid"]),
        ("q=nothing", []),
    ],
)
def test_the_filters_find_their_connectors(super_admin: Person, three: None, query: str, names: list[str]) -> None:
    page = super_admin.get(f"/platform?{query}").text
    shown = [name for name in ("Sunflower", "Tulip", "Orchid") if re.search(rf'<th scope="row"><a [^>]*>{name}<', page)]
    assert shown == names


def test_an_organisation_is_made_with_its_first_administrator(super_admin: Person, services: Services) -> None:
    page = super_admin.post("/platform/organisations", {"name": "Third Ltd", "email": "boss@example.com"}).text
    assert "/invitation/" in page
    with services.db.read() as session:
        made = session.query(Organisation).filter_by(name="Third Ltd").one()
    again = super_admin.post("/platform/organisations", {"name": "Third Ltd", "email": "x@example.com"})
    assert (again.status_code, "There is an organisation" in text_of(again)) == (400, True)
    super_admin.post(f"/platform/organisations/{made.id}/rename", {"name": "Third Inc"})
    assert "Third Inc" in super_admin.get("/platform").text
    assert (
        "/invitation/" in super_admin.post(f"/platform/organisations/{made.id}/invite", {"email": "y@example.com"}).text
    )


def test_nobody_else_sees_the_platform(admin: Person, stranger: Person) -> None:
    for person in (admin, stranger):
        assert person.get("/platform").status_code == 403
        assert person.post("/platform/organisations", {"name": "X", "email": "x@example.com"}).status_code == 403
        assert person.post("/platform/organisations/1/rename", {"name": "Mine"}).status_code == 403
