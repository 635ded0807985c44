"""Contact Sync: settings by administrators, imports by support, progress for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.models import AuditEntry, Connector, Run
from integration.pipeline.connectors import customer_roles
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of

TYPED = {
    "contacts.enabled": "1",
    "contacts.phone": "1",
    "contacts.default_tags": "Shop, VIP ,",
    "contacts.roles": ["customer", "administrator"],
    "sync.every": "900",
}


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/contacts"


def test_an_admin_saves_and_the_difference_is_audited(
    admin: Person,
    page: str,
    services: Services,
    connector: Callable[[], Connector],
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    assert "The settings were saved." in text_of(admin.post(page, TYPED, follow_redirects=True))
    saved = services.modules(connector()).contacts
    assert (saved.enabled, saved.on_change, saved.billing, saved.phone) == (True, False, False, True)
    assert (saved.default_tags, saved.roles) == (("Shop", "VIP"), ("customer", "administrator"))
    assert services.modules(connector()).sync.every == 900
    [entry] = audit_of("UPDATED")
    assert entry.diff["contacts.billing"] == [True, False]


def test_what_is_saved_is_shown(admin: Person, viewer: Person, page: str) -> None:
    admin.post(page, TYPED)
    shown = viewer.get(page).text
    assert 'value="Shop, VIP"' in shown
    assert "Save changes" not in shown
    assert "These settings are changed by administrators." in shown


@pytest.mark.parametrize("every", ["often", "-5", "99999999"])
def test_a_wrong_value_names_the_field_and_keeps_what_was_typed(admin: Person, page: str, every: str) -> None:
    answer = admin.post(page, {**TYPED, "sync.every": every})
    assert answer.status_code == 400
    assert "“Read changes” must be" in text_of(answer)
    assert 'value="Shop, VIP ,"' in answer.text


def test_only_admins_save_and_only_support_starts(
    viewer: Person, support: Person, page: str, connector_id: int
) -> None:
    assert viewer.post(page, TYPED).status_code == 403
    assert support.post(page, TYPED).status_code == 403
    start = f"/connectors/{connector_id}/imports/start"
    assert viewer.post(start, {"kind": "initial"}).status_code == 403
    assert "Run initial import" not in text_of(viewer.get(page))


def test_support_starts_an_import_and_follows_it(
    support: Person, page: str, services: Services, connector_id: int, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    start = f"/connectors/{connector_id}/imports/start"
    begun = support.post(start, {"kind": "initial", "page": "contacts"}, follow_redirects=True)
    assert "The initial import has been started." in text_of(begun)
    assert 'data-live-every="4"' in begun.text
    assert [entry.diff["kind"] for entry in audit_of("SYNC_TRIGGERED")] == [[None, "initial"]]
    again = support.post(start, {"kind": "full", "page": "orders"}, follow_redirects=True)
    assert "going already" in text_of(again)


def test_the_bar_shows_counts_and_ends(support: Person, services: Services, connector_id: int) -> None:
    run_id = run_lifecycle.start(services, connector_id, "initial", trigger="me")
    with services.db.write() as session:
        run_lifecycle.take(session, services.clock.now(), new_token())
        run = session.get_one(Run, run_id)
        run.pushed, run.skipped, run.expected, run.pulled = 30, 10, 200, 50
    part = support.get(f"/connectors/{connector_id}/imports/progress?page=orders")
    assert '<progress aria-label="Records done" value="40" max="200">' in part.text
    assert "50 read from the store, 30 written to Mautic, 10 skipped, 0 failed" in text_of(part)
    assert "Cancel" in text_of(part)
    cancelled = support.post(f"/connectors/{connector_id}/imports/cancel", {"page": "orders"}, follow_redirects=True)
    assert "stops after the batch" in text_of(cancelled)


def test_an_unknown_kind_is_not_started(support: Person, connector_id: int) -> None:
    assert support.post(f"/connectors/{connector_id}/imports/start", {"kind": "replay"}).status_code == 404


def test_a_stranger_sees_nothing(stranger: Person, page: str, connector_id: int) -> None:
    assert stranger.get(page).status_code == 404
    assert stranger.post(page, TYPED).status_code == 404
    for path in ("start", "cancel"):
        assert stranger.post(f"/connectors/{connector_id}/imports/{path}", {"kind": "full"}).status_code == 404


def test_an_import_without_fields_is_offered_with_creating_them(
    admin: Person, support: Person, page: str, connector_id: int
) -> None:
    text = text_of(admin.get(page))
    assert "Create the fields and import" in text
    assert "Import without these fields" in text
    assert "Create the fields and import" not in text_of(support.get(page))
    start = f"/connectors/{connector_id}/imports/start-with-fields"
    assert support.post(start, {"page": "contacts"}).status_code == 403
    refused = admin.post(start, {"page": "contacts"}, follow_redirects=True)
    assert "The import was not started" in text_of(refused)


def test_p17_any_role_of_the_store_is_ticked_or_typed(
    admin: Person, page: str, services: Services, connector: Callable[[], Connector], connector_id: int
) -> None:
    with services.db.write() as session:
        customer_roles.note(session, connector_id, [{"role": "wholesale"}, {"role": "customer"}, {"role": "<b>"}, {}])
    assert 'name="contacts.roles" value="wholesale"' in admin.get(page).text
    typed = {**TYPED, "contacts.roles": ["wholesale", "vip_buyer,  Shop Manager , vip_buyer"]}
    admin.post(page, typed)
    assert services.modules(connector()).contacts.roles == ("wholesale", "vip_buyer", "Shop Manager")
    assert 'name="contacts.roles" value="vip_buyer" checked' in admin.get(page).text
    none = admin.post(page, {**TYPED, "contacts.role_choice": "these", "contacts.roles": []})
    assert none.status_code == 400
    assert "Without a role no customer would be sent. Tick at least one, or choose all roles." in text_of(none)
    admin.post(page, {**TYPED, "contacts.role_choice": "all", "contacts.roles": []})
    assert services.modules(connector()).contacts.takes("anything")
    assert '<option value="all" selected>' in " ".join(admin.get(page).text.split())
    refused = admin.post(page, {**TYPED, "contacts.roles": ["customer", "no/role"]})
    assert refused.status_code == 400
    assert "“no/role” is no role" in text_of(refused)
