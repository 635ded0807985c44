"""The Reconciliation page: start, cancel, what was found, repair, webhook gaps, read-back figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.models import AuditEntry, Drift, Gap, Reconciliation
from integration.operations import reconciliation
from integration.operations.reconciliation.listing import FINDINGS_MAX_ROWS
from integration.pipeline import usage
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of

Audit = Callable[[str], list[AuditEntry]]


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/reconciliation"


def add(services: Services, row: Any) -> int:
    with services.db.write() as session:
        session.add(row)
        session.flush()
        number: int = row.id
    return number


@pytest.fixture
def ended(services: Services, connector_id: int) -> int:
    """A reconciliation that found one of each kind."""
    now = services.clock.now()
    number = add(
        services,
        Reconciliation(
            connector_id=connector_id,
            trigger="nightly",
            state="COMPLETED",
            cursor={},
            pulled=1234,
            skipped=1230,
            missing=1,
            doubled=1,
            differs=1,
            surplus=1,
            created_at=now,
            ended_at=now,
        ),
    )
    rows: list[tuple[str, str, int | None, dict[str, Any]]] = [
        ("missing", "order", None, {"email": ["ada@example.com", None]}),
        ("doubled", "contact", 4, {"contacts": [4, 9]}),
        ("differs", "contact", 5, {"city": ["Ulm", "Köln"], "tag:vip": [True, False], "x": [True, None]}),
        ("surplus", "", 6, {}),
    ]
    for place, (kind, source, contact, detail) in enumerate(rows, 1):
        drift(services, connector_id, number, kind, place, source=source, contact_id=contact, detail=detail)
    return number


def drift(
    services: Services, connector_id: int, number: int, kind: str, place: int, source: str = "", **more: Any
) -> int:
    row = Drift(
        reconciliation_id=number,
        connector_id=connector_id,
        kind=kind,
        person_key=f"{place:032d}",
        source_kind=source,
        source_id=str(100 + place) if source else "",
        sentence=f"This is {kind}.",
        found_at=services.clock.now(),
        **more,
    )
    return add(services, row)


def asked(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(select(Drift.kind).where(Drift.asked_at.is_not(None)).order_by(Drift.id)))


def test_an_empty_page_says_what_would_fill_it(viewer: Person, page: str) -> None:
    text = text_of(viewer.get(page))
    assert "Nothing was compared yet." in text
    assert "The store's webhooks are not registered" in text
    assert "Nothing was read back yet" in text
    assert "Start now" not in text


def test_what_was_found_is_shown_with_both_values(viewer: Person, page: str, ended: int) -> None:
    text = text_of(viewer.get(page))
    assert "1,234" in text
    assert "city store Ulm , Mautic Köln" in text
    assert "Tag “vip” store set , Mautic not set" in text
    assert "email store ada@example.com , Mautic nothing" in text
    assert "Merge them in Mautic; repairing lets our link lead to the oldest, 4." in text
    source = viewer.get(page).text
    assert "/s/contacts/view/9" in source
    assert "Repair" not in re.findall(r"<button[^>]*>([^<]*)<", source)


@pytest.mark.parametrize(
    ("address", "shown", "hidden", "notice"),
    [
        ("?kind=missing", "This is missing.", "This is surplus.", ""),
        ("?kind=surplus", "It is only shown: we never delete a contact.", "This is missing.", ""),
        ("?kind=odd", "This is missing.", "", "There is no kind “odd”"),
        ("?after=x", "This is missing.", "", "“x” is no whole number"),
        ("?number=999", "This is missing.", "", "There is no such reconciliation"),
        ("?number=" + "9" * 30, "This is missing.", "", "There is no such reconciliation"),
        ("?after=999999", "Nothing of this kind was found.", "This is missing.", ""),
    ],
)
def test_it_is_filtered_and_bad_addresses_do_no_harm(
    viewer: Person, page: str, ended: int, address: str, shown: str, hidden: str, notice: str
) -> None:
    response = viewer.get(page + address)
    text = text_of(response)
    assert response.status_code == 200
    assert shown in text
    assert not hidden or hidden not in text
    assert notice in text


def test_a_long_list_is_paged(viewer: Person, page: str, services: Services, connector_id: int, ended: int) -> None:
    for place in range(10, 10 + FINDINGS_MAX_ROWS):
        drift(services, connector_id, ended, "surplus", place)
    first = viewer.get(f"{page}?kind=surplus")
    link = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert link is not None
    second = viewer.get(link[1].replace("&amp;", "&"))
    assert text_of(second).count("This is surplus.") == 1
    assert "First page" in text_of(second)


def test_start_and_cancel(support: Person, page: str, services: Services, connector_id: int, audit_of: Audit) -> None:
    text = text_of(support.post(f"{page}/start", follow_redirects=True))
    assert "The reconciliation begins within seconds." in text
    assert "Waiting Reconciliation 1, started by support@example.com" in text
    assert "is going already" in text_of(support.post(f"{page}/start", follow_redirects=True))
    part = support.get(f"{page}/progress", headers={"HX-Request": "true"})
    assert "People compared" in part.text
    assert "<h1>" not in part.text
    assert "It stops after the page in hand" in text_of(support.post(f"{page}/1/cancel", follow_redirects=True))
    assert "It has ended already." in text_of(support.post(f"{page}/1/cancel", follow_redirects=True))
    ended = support.get(f"{page}/progress", headers={"HX-Request": "true"})
    assert ended.headers["HX-Redirect"] == page
    assert support.get(f"{page}/progress").status_code == 302
    assert [entry.entity for entry in audit_of("SYNC_TRIGGERED")] == ["reconciliation 1"]
    assert [entry.entity for entry in audit_of("SYNC_CANCELLED")] == ["reconciliation 1"]


def test_nothing_begins_before_both_are_connected(support: Person, services: Services) -> None:
    bare = pairs.create(services, organisation_id=1, name="Bare")
    text = text_of(support.post(f"/connectors/{bare}/reconciliation/start", follow_redirects=True))
    assert "Connect the store and Mautic first" in text
    with services.db.read() as session:
        assert reconciliation.going(session, bare) is None


def test_one_and_the_ticked_ones_are_repaired(
    support: Person, page: str, services: Services, ended: int, audit_of: Audit
) -> None:
    text = text_of(support.post(f"{page}/{ended}/repair", {"one": "1"}, follow_redirects=True))
    assert "1 record is read from the store again" in text
    assert "1 row is being repaired." in text
    assert asked(services) == ["missing"]
    support.post(f"{page}/{ended}/repair", {"id": ["2", "3", "4"]})
    assert asked(services) == ["missing", "doubled", "differs"], "surplus is only shown"
    again = support.post(f"{page}/{ended}/repair", {"id": ["1"]}, follow_redirects=True)
    assert "Nothing was left to repair" in text_of(again)
    assert "No row was ticked." in text_of(support.post(f"{page}/{ended}/repair", follow_redirects=True))
    assert [entry.diff["records"] for entry in audit_of("REPAIRED")] == [[0, 1], [0, 2]]


def test_all_of_a_kind_asks_first(support: Person, page: str, services: Services, ended: int) -> None:
    question = support.get(f"{page}/{ended}/repair-all?kind=differs")
    assert "1 row of the kind Differs will be repaired" in text_of(question)
    assert asked(services) == []
    support.post(f"{page}/{ended}/repair-all", {"kind": "differs"})
    assert asked(services) == ["differs"]
    assert "2 rows will be repaired" in text_of(support.get(f"{page}/{ended}/repair-all"))
    support.post(f"{page}/{ended}/repair-all", {"kind": "surplus"})
    assert "surplus" not in asked(services)
    nothing = support.get(f"{page}/{ended}/repair-all?kind=surplus")
    assert "Nothing of this is left to repair." in text_of(nothing)


def test_gaps_and_read_back_are_shown(viewer: Person, page: str, services: Services, connector_id: int) -> None:
    now = services.clock.now()
    healed = Gap(
        connector_id=connector_id, cause="disabled", topics=[], sentence="The store has switched off 1 webhook.",
        noticed_at=now - timedelta(hours=1), healed_at=now, saved=1250,
    )  # fmt: skip
    add(services, healed)
    failed = Gap(
        connector_id=connector_id, cause="missing", topics=[], sentence="All gone.", noticed_at=now, error="No."
    )
    add(services, failed)
    with services.db.write() as session:
        usage.record(session, connector_id, now, proved=40, unproved=1, pushed=2000)
    text = text_of(viewer.get(page))
    assert "Healed disabled The store has switched off 1 webhook." in text
    assert "1,250" in text
    assert "Open missing All gone. No." in text
    assert "1 contact that was read back differed" in text
    assert "97.5 %" in text


def test_viewers_may_only_look(viewer: Person, page: str, ended: int, services: Services) -> None:
    acts = (f"{page}/start", f"{page}/{ended}/cancel", f"{page}/{ended}/repair", f"{page}/{ended}/repair-all")
    assert {viewer.post(act).status_code for act in acts} == {403}
    assert viewer.get(f"{page}/{ended}/repair-all").status_code == 403
    assert asked(services) == []


def test_strangers_see_and_do_nothing(stranger: Person, page: str, ended: int, services: Services) -> None:
    assert stranger.get(page).status_code == 404
    assert stranger.get(f"{page}/progress").status_code == 404
    assert stranger.get(f"{page}/{ended}/repair-all").status_code == 404
    acts = (f"{page}/start", f"{page}/{ended}/cancel", f"{page}/{ended}/repair-all")
    assert {stranger.post(act).status_code for act in acts} == {404}
    assert stranger.post(f"{page}/{ended}/repair", {"one": "1"}).status_code == 404
    assert asked(services) == []


def test_anothers_reconciliation_is_not_found(admin: Person, services: Services, ended: int) -> None:
    other = pairs.create(services, organisation_id=1, name="Other")
    base = f"/connectors/{other}/reconciliation"
    assert "This is missing." not in text_of(admin.get(f"{base}?number={ended}"))
    assert admin.post(f"{base}/{ended}/repair", {"one": "1"}).status_code == 404
    assert admin.post(f"{base}/{ended}/cancel").status_code == 404
    assert asked(services) == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("repair", {"id": ["1", "x"]}),
        ("repair", {"one": "x"}),
        ("repair-all", {}),
        ("repair-all", {"kind": "odd"}),
        ("repair-all", {"kind": "odd", "everything": "yes"}),
    ],
)
def test_a_repair_of_what_cannot_be_understood_repairs_nothing(
    support: Person, page: str, services: Services, ended: int, path: str, form: dict[str, Any]
) -> None:
    assert support.post(f"{page}/{ended}/{path}", form).status_code == 400
    assert asked(services) == []


def test_what_no_button_can_mend_does_not_stand_for_all(
    support: Person, page: str, services: Services, ended: int
) -> None:
    support.post(f"{page}/{ended}/repair-all", {"kind": "surplus"})
    assert asked(services) == []
