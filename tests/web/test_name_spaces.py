"""The name space on a connector's Settings tab, and the warning where two stores write the same fields (X16)."""

from __future__ import annotations

from typing import Any

import pytest

from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.settings import where
from tests.web.conftest import Person, text_of

CLASH = "goes to the same Mautic and has"


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/settings"


@pytest.fixture
def other(services: Services, connector_id: int) -> int:
    """A second connector of the organisation to the same Mautic, whose address is written in another way."""
    with services.db.read() as session:
        mine = session.get_one(Connector, connector_id)
    url = f"{mine.mautic_url.rstrip('/')}/"
    return connectors.create(services, organisation_id=1, name="Boutique", mautic_url=url)


def stored(page: Person, path: str, **changes: Any) -> Any:
    form = {"sync.every": "300", "sync.cron": "", "sync.policy": "store", "sync.batch_start": "50"}
    form |= {"sync.batch_max": "200", "sync.lanes": "2", "sync.proof_every": "20", "sync.hourly_limit": "0"}
    return page.post(path, {**form, **changes}, follow_redirects=True)


def test_it_is_saved_and_shown_in_the_names_of_fields_and_tags(
    admin: Person, page: str, services: Services, connector_id: int
) -> None:
    assert "woo_de_total_spent" in text_of(admin.get(page))
    assert "The settings were saved." in text_of(stored(admin, page, **{"naming.name_space": "Shop2"}))
    with services.db.read() as session:
        assert services.modules(session.get_one(Connector, connector_id)).naming.name_space == "shop2"
    assert "woo_shop2_total_spent instead of mautic_woo_total_spent" in text_of(admin.get(page))
    for path in ("contacts", "orders", "carts"):
        assert "every tag begins with shop2." in text_of(admin.get(f"/connectors/{connector_id}/{path}"))
    assert "woo_shop2_rfm_segment" in text_of(admin.get(f"/connectors/{connector_id}/orders"))
    assert "woo_shop2_order_data" in text_of(admin.get(f"/connectors/{connector_id}/fields"))


def test_what_cannot_be_used_comes_back_at_its_field(admin: Person, page: str) -> None:
    answer = stored(admin, page, **{"naming.name_space": "de_1"})
    assert answer.status_code == 400
    assert "at most 6 letters from a to z and digits" in text_of(answer)
    assert 'value="de_1"' in answer.text


def test_two_stores_with_one_name_space_are_warned_of(
    admin: Person, page: str, services: Services, connector_id: int, other: int
) -> None:
    tabs = (page, f"/connectors/{connector_id}/connection", f"/connectors/{connector_id}/diagnostics")
    for path in tabs:
        text = text_of(admin.get(path))
        assert f"“Boutique” {CLASH} no name space either" in text and where("naming.name_space") in text
    connectors.configure(services, other, {"naming.name_space": "fr"})
    assert not any(CLASH in text_of(admin.get(path)) for path in tabs)
    connectors.configure(services, connector_id, {"naming.name_space": "FR"})
    assert all("the same name space, “fr”" in text_of(admin.get(path)) for path in tabs)


def test_another_organisations_connector_is_not_named(admin: Person, page: str, services: Services, other: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, other).organisation_id = 2
    assert CLASH not in text_of(admin.get(page))


def test_a_change_offers_to_send_all_again(admin: Person, page: str, services: Services, connector_id: int) -> None:
    assert "Send the affected again" not in text_of(admin.get(page))
    with services.db.write() as session:
        session.get_one(Connector, connector_id).initial_done_at = services.clock.now()
    stored(admin, page, **{"naming.name_space": "de"})
    assert "Send the affected again" in text_of(admin.get(page))
    answer = admin.post(f"/connectors/{connector_id}/mapping/resend", follow_redirects=True)
    assert answer.status_code == 200
    assert "Send the affected again" not in text_of(admin.get(page))
