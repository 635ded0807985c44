"""What is typed into fields: a megabyte and characters that steer a terminal are refused at the field."""

from __future__ import annotations

from typing import Any

import pytest

from integration.errors import SettingError
from integration.field_text import visible
from integration.models import Invitation, Role, User
from integration.operations.identity import members
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import SECRETS, Person, text_of

LONG = "x" * 1_000_000
STEERING = "a\x1b[31mb"
TURNED = "gpj.\u202eexe"


@pytest.mark.parametrize("typed", [LONG, LONG[:50_000], STEERING, TURNED, "a\x9bb"])
@pytest.mark.parametrize(
    ("path", "field", "more"),
    [
        ("/connectors/new", "name", {}),
        ("/connectors/1/connection", "name", {"store_url": "https://127.0.0.1:9", "mautic_url": ""}),
        ("/connectors/1/connection", "store_url", {"name": "A", "mautic_url": ""}),
        ("/connectors/1/connection", "mautic_password", {"name": "A", "store_url": "", "mautic_url": "", **SECRETS}),
        ("/connectors/1/orders", "orders.general_tags", {}),
        ("/connectors/1/contacts", "contacts.default_tags", {}),
        ("/tokens", "name", {"scopes": "logs"}),
        ("/alerts/groups", "name", {"emails": "a@example.com"}),
        ("/platform/organisations", "name", {"email": "new@example.com"}),
        ("/users/invite", "email", {"role": "viewer"}),
    ],
)
def test_no_field_takes_it(
    super_admin: Person, connector_id: int, path: str, field: str, more: dict[str, Any], typed: str
) -> None:
    answer = super_admin.post(path, {**more, field: typed})
    assert answer.status_code in (400, 413), text_of(answer)[:500]
    assert len(answer.text) < 200_000


@pytest.mark.parametrize("value", [[LONG], [STEERING], ["x"] * 1001, ",".join(str(number) for number in range(1001))])
@pytest.mark.parametrize(
    "key", ["orders.general_tags", "contacts.default_tags", "orders.sku_filter", "orders.statuses"]
)
def test_no_list_takes_it(services: Services, connector_id: int, key: str, value: object) -> None:
    with pytest.raises(SettingError):
        pairs.configure(services, connector_id, {key: value})


def test_what_does_not_show_is_shown_as_such() -> None:
    assert visible("a\x1b[31m\r\n\0b") == r"a\x1b[31m\r\n\x00b"
    assert visible("a\nb\x07", lines=True) == "a\nb\\x07"
    assert visible("Zoë “quoted” 👍 שלום") == "Zoë “quoted” 👍 שלום"


@pytest.mark.parametrize("change", ["disable", "viewer"])
def test_invitations_of_somebody_shut_out_are_withdrawn(
    super_admin: Person, admin: Person, visitor: Person, services: Services, change: str
) -> None:
    page = admin.post("/users/invite", {"email": "new@example.com", "role": "admin"})
    token = page.text.split("/invitation/")[1].split('"')[0].split("<")[0].strip()
    if change == "disable":
        super_admin.post("/users/3/disable")
    else:
        super_admin.post("/users/3/role", {"role": "viewer"})
    with services.db.read() as session:
        assert session.get_one(Invitation, 1).withdrawn_at is not None
    assert visitor.get(f"/invitation/{token}").status_code == 410


def test_an_invitation_is_worth_what_its_sender_may(services: Services) -> None:
    token = members.invite(services, 1, "new@example.com", "admin", Role.ADMIN, "admin@example.com")
    with services.db.write() as session:
        session.get_one(User, 3).role = Role.SUPPORT
    with pytest.raises(SettingError, match="cannot be used any more"):
        members.accept(services, token, "New", "correct horse battery")
