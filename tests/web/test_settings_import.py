"""Settings imported and set back on Tools (P89): shown first, saved as shown, refused in sentences, audited once."""

from __future__ import annotations

import html
import io
import json
import re
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration.models import AuditEntry, Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.settings.wootic import PREFIX
from tests.web.conftest import Person, text_of

PASSWORD = "pass-word-of-wootic"


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/tools/settings"


def connector_of(services: Services, connector_id: int) -> Connector:
    with services.db.read() as session:
        return session.get_one(Connector, connector_id)


def notes(services: Services, connector_id: int) -> bool:
    return services.modules(connector_of(services, connector_id)).orders.notes


def pasted(person: Person, page: str, value: Any) -> TestResponse:
    return person.post(f"{page}/preview", {"text": value if isinstance(value, str) else json.dumps(value)})


def hidden(answer: TestResponse) -> dict[str, str]:
    [found] = re.findall(r'name="preview" value="([^"]+)"', answer.text)
    return {"preview": html.unescape(found)}


def updates(services: Services) -> list[AuditEntry]:
    with services.db.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "UPDATED")))


def test_a_download_comes_back_as_one_change_after_it_was_shown(
    admin: Person, services: Services, connector_id: int, page: str
) -> None:
    value = json.loads(admin.get(f"{page}.json").text)
    value["modules"]["orders"] |= {"notes": True, "general_tags": ["shop", "web"]}
    file = (io.BytesIO(json.dumps(value).encode()), "settings.json")
    shown = admin.post(f"{page}/preview", {"file": file}, content_type="multipart/form-data")
    assert "Order Sync: Notes no yes" in text_of(shown)
    assert "Order Sync: Tags for every order nothing shop, web" in text_of(shown)
    assert not notes(services, connector_id)
    saved = admin.post(f"{page}/save", hidden(shown), follow_redirects=True)
    assert "The settings were saved." in text_of(saved)
    [entry] = updates(services)
    assert entry.diff == {"orders.notes": [False, True], "orders.general_tags": [[], ["shop", "web"]]}
    assert entry.actor == "admin@example.com"
    assert "Nothing would change" in text_of(pasted(admin, page, value))


def test_what_cannot_be_used_is_named_and_nothing_of_the_file_is_saved(
    admin: Person, services: Services, connector_id: int, page: str
) -> None:
    wrong = {"modules": {"orders": {"notes": True, "statuses": []}, "sync": {"every": -1}}}
    refused = pasted(admin, page, wrong)
    assert refused.status_code == 400
    assert "“Read changes” must be between 0 and 604800." in text_of(refused)
    assert "Without a status no order would be sent." in text_of(refused)
    assert "There is no setting “orders.nots”. Take it out of the file." in text_of(
        pasted(admin, page, {"modules": {"orders": {"nots": 1}}})
    )
    assert "not whole JSON" in text_of(pasted(admin, page, '{"a'))
    row = {"kind": "order", "alias": "email", "source": "id"}
    assert "The e-mail address is how a contact is found" in text_of(
        pasted(admin, page, {"modules": {"mapping": {"rows": [row]}}})
    )
    without = {"modules": {"consent": {"enabled": True}}}
    assert "Without a key nobody could consent" in text_of(pasted(admin, page, without))
    assert not updates(services)


def test_own_mapping_rows_are_checked_against_mautics_fields(admin: Person, page: str) -> None:
    row = {"kind": "order", "alias": "position", "source": "id"}
    refused = pasted(admin, page, {"modules": {"mapping": {"rows": [row]}}})
    assert refused.status_code == 400
    assert "Mautic" in text_of(refused)


def test_a_change_since_the_preview_is_told_and_shown_before_anything_is_saved(
    admin: Person, services: Services, connector_id: int, page: str
) -> None:
    shown = pasted(admin, page, {"modules": {"orders": {"notes": True, "general_tags": ["a"]}}})
    connectors.configure(services, connector_id, {"orders.general_tags": "b"})
    again = admin.post(f"{page}/save", hidden(shown))
    assert again.status_code == 409
    assert "Somebody has changed settings since this was shown, so nothing was saved." in text_of(again)
    assert "Order Sync: Tags for every order b a" in text_of(again)
    assert not notes(services, connector_id)
    assert admin.post(f"{page}/save", hidden(again)).status_code == 302
    assert notes(services, connector_id)


def test_one_module_or_all_go_back_to_their_defaults(
    admin: Person, services: Services, connector_id: int, page: str
) -> None:
    connectors.configure(services, connector_id, {"orders.notes": True, "contacts.phone": False})
    one = admin.get(f"{page}/reset?module=orders")
    assert "Order Sync: Notes yes no" in text_of(one)
    assert "Phone" not in one.text
    assert admin.post(f"{page}/save", hidden(one)).status_code == 302
    assert not notes(services, connector_id)
    assert "Contact Sync: Phone no yes" in text_of(admin.get(f"{page}/reset?module=all"))
    for odd in ("", "?module=", "?module=cats"):
        assert admin.get(f"{page}/reset{odd}").status_code == 400


@pytest.mark.parametrize("preview", ["", "x", "gAAAAA"])
def test_only_what_was_shown_can_be_saved(admin: Person, page: str, preview: str) -> None:
    refused = admin.post(f"{page}/save", {"preview": preview})
    assert refused.status_code == 400
    assert "It was not understood what is to be saved." in text_of(refused)


def wootic(address: str) -> list[dict[str, str]]:
    options = {"server": address, "mautic_username": "ada", "mautic_password": PASSWORD}
    options |= {"mautic_add_note": "yes", "mautic_enable_forms": "no"}
    return [{"option_name": PREFIX + name, "option_value": value} for name, value in options.items()]


def test_wootics_options_bring_settings_and_connection_and_never_show_the_password(
    admin: Person, services: Services, connector_id: int, page: str
) -> None:
    shown = pasted(admin, page, wootic("https://127.0.0.1:9"))
    text = text_of(shown)
    assert "Order Sync: Notes no yes" in text
    assert "Mautic: User name nothing ada" in text
    assert PREFIX + "mautic_enable_forms" in text
    assert PASSWORD not in shown.text
    saved = admin.post(f"{page}/save", hidden(shown) | {"connection": "yes"}, follow_redirects=True)
    assert PASSWORD not in saved.text
    connector = connector_of(services, connector_id)
    assert (connector.mautic_user, connector.mautic_method) == ("ada", "basic")
    assert services.secrets(connector)["mautic_password"] == PASSWORD
    assert PASSWORD not in json.dumps([entry.diff for entry in updates(services)])
    assert notes(services, connector_id)


def test_a_stored_secret_never_goes_to_an_address_of_a_file(
    admin: Person, services: Services, connector_id: int, page: str
) -> None:
    shown = pasted(admin, page, wootic("https://elsewhere.example"))
    assert "are not taken over: The address has changed" in text_of(shown)
    admin.post(f"{page}/save", hidden(shown) | {"connection": "yes"})
    connector = connector_of(services, connector_id)
    assert (connector.mautic_url, connector.mautic_user) == ("https://127.0.0.1:9", "")
    assert notes(services, connector_id)


def test_only_administrators_import_and_reset(support: Person, page: str) -> None:
    assert support.get(page).status_code == 403
    assert support.get(f"{page}/reset?module=all").status_code == 403
    for path in ("preview", "save"):
        assert support.post(f"{page}/{path}").status_code == 403
