"""Lists of Mautic's things while Mautic is down: the last known one with its time, numbers where none is known."""

from __future__ import annotations

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.connectors import connectors, mautic_lists
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of


def connector_of(services: Services, connector_id: int) -> Connector:
    with services.db.read() as session:
        return session.get_one(Connector, connector_id)


@pytest.mark.parametrize("tab", ["orders", "contacts"])
def test_the_last_known_list_is_shown_with_its_time(
    admin: Person, services: Services, clock: SetClock, connector_id: int, tab: str
) -> None:
    page = f"/connectors/{connector_id}/{tab}"
    assert "Type the number as Mautic shows it" in text_of(admin.get(page))
    connector = connector_of(services, connector_id)
    mautic_lists.keep(services, connector, "segments", {"3": "Regulars"})
    mautic_lists.keep(services, connector_of(services, connector_id), "emails", {"5": "Thanks"})
    told = clock.now()
    shown = admin.get(page)
    assert "This is the last known one, of" in text_of(shown)
    assert told.isoformat() in shown.text
    assert "Regulars" in shown.text
    assert "Type the number" not in text_of(shown)


def test_another_mautics_list_is_not_shown(services: Services, connector_id: int) -> None:
    mautic_lists.keep(services, connector_of(services, connector_id), "segments", {"3": "Regulars"})
    known = mautic_lists.known(connector_of(services, connector_id), "segments")
    assert known is not None
    assert known.choices == {"3": "Regulars"}
    connectors.connect(services, connector_id, mautic_url="https://other.example")
    assert mautic_lists.known(connector_of(services, connector_id), "segments") is None
