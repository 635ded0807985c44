"""Mautic Fields: what is needed, what is there, and one click to make the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from integration.models import AuditEntry
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from tests.web.conftest import Person, text_of
from tests.web.known_fields import connected_mautic


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/fields"


@pytest.fixture
def mautic(services: Services, connector_id: int) -> Iterator[MauticServer]:
    with connected_mautic(services, connector_id) as server:
        yield server


def test_before_it_was_read_the_list_says_so(viewer: Person, page: str) -> None:
    assert "The list of fields has not been read from Mautic yet." in text_of(viewer.get(page))


def test_missing_fields_are_made_with_one_click(
    admin: Person, support: Person, page: str, mautic: MauticServer, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    assert "6 of 6 fields are missing" in text_of(support.post(f"{page}/refresh", follow_redirects=True))
    done = text_of(admin.post(f"{page}/create", follow_redirects=True))
    assert "6 fields were created in Mautic." in done
    assert "All fields that the modules need are there." in done
    assert len(audit_of("FIELDS_CREATED")) == 1
    log = text_of(admin.get(f"{page.removesuffix('/fields')}/tools/log?action=create_field"))
    assert "mautic_woo_order_count Create field" in log
    assert "No field was missing." in text_of(admin.post(f"{page}/create", follow_redirects=True))


def test_mautic_down_is_a_sentence(admin: Person, page: str) -> None:
    answer = admin.post(f"{page}/create", follow_redirects=True)
    assert "Mautic refused the connection." in text_of(answer)


def test_who_may_what(viewer: Person, support: Person, stranger: Person, page: str) -> None:
    assert viewer.post(f"{page}/refresh").status_code == 403
    assert support.post(f"{page}/create").status_code == 403
    assert [stranger.get(page).status_code, stranger.post(f"{page}/create").status_code] == [404, 404]
