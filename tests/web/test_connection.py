"""The Connection tab: saved, refused, written to the audit log; secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.models import Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import SECRETS, Person, text_of, version
from tests.web.connection_form import typed

Read = Callable[[], Connector]


@pytest.fixture
def path(connector_id: int) -> str:
    return f"/connectors/{connector_id}/connection"


@pytest.mark.parametrize("who", ["viewer", "support", "admin"])
def test_secrets_are_never_rendered(request: pytest.FixtureRequest, path: str, who: str) -> None:
    page = request.getfixturevalue(who).get(path).text
    assert "tored" in page
    for secret in SECRETS.values():
        assert secret not in page


def test_empty_secrets_keep_what_is_stored(admin: Person, path: str, services: Services, connector: Read) -> None:
    assert admin.post(path, typed(name="Rose")).status_code == 302
    assert connector().name == "Rose"
    assert services.secrets(connector()) == SECRETS


def test_a_typed_secret_replaces_the_stored_one_and_the_audit_says_changed(
    admin: Person, path: str, services: Services, connector: Read, audit_of: Callable
) -> None:
    admin.post(path, typed(store_secret="cs_new", mautic_url="https://127.0.0.1:9/mautic"))
    assert services.secrets(connector())["store_secret"] == "cs_new"
    (entry,) = audit_of("UPDATED")
    assert entry.diff == {
        "mautic_url": ["https://127.0.0.1:9", "https://127.0.0.1:9/mautic"],
        "store_secret": "changed",
    }
    assert (entry.actor, entry.connector_id, entry.ip) == ("admin@example.com", connector().id, "127.0.0.1")


def test_the_second_of_two_people_is_told(admin: Person, super_admin: Person, path: str, connector: Read) -> None:
    loaded = version(super_admin.get(path))
    admin.post(path, typed(mautic_client_id="2_client"))
    told = super_admin.post(path, typed(name="Rose", mautic_client_id="1_client", **loaded))
    assert told.status_code == 409
    assert "Somebody has changed “Client ID” meanwhile; it is “2_client” now." in text_of(told)
    assert connector().name == "Sunflower"
    assert super_admin.post(path, typed(name="Rose", **version(told))).status_code == 302
    assert (connector().name, connector().mautic_client_id) == ("Rose", "1_client")


def test_saving_nothing_new_is_not_audited(admin: Person, path: str, audit_of: Callable) -> None:
    assert "Nothing has changed." in text_of(admin.post(path, typed(), follow_redirects=True))
    assert audit_of("UPDATED") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"store_url": "https://", "store_key": "ck_x", "store_secret": "cs_x"}, "store_url"),
        ({"store_url": "ftp://shop.example.com", "store_key": "ck_x", "store_secret": "cs_x"}, "store_url"),
        ({"store_url": "https://me:word@127.0.0.1:9", "store_key": "ck_x", "store_secret": "cs_x"}, "store_url"),
        (
            {"mautic_url": "https://m.example.com:99999", "mautic_client_secret": "x", "mautic_password": "x"},
            "mautic_url",
        ),
        ({"store_url": "not a url", "store_key": "x", "store_secret": "x"}, "store_url"),
        ({"store_url": "javascript:1", "store_key": "x", "store_secret": "x"}, "store_url"),
        ({"store_url": "http://[::1", "store_key": "x", "store_secret": "x"}, "store_url"),
        ({"store_url": "shop", "store_key": "x", "store_secret": "x"}, "store_url"),
        ({"mautic_url": "http://a..b", "mautic_client_secret": "x", "mautic_password": "x"}, "mautic_url"),
        ({"mautic_url": "http://-", "mautic_client_secret": "x", "mautic_password": "x"}, "mautic_url"),
        ({"mautic_url": "a b.example", "mautic_client_secret": "x", "mautic_password": "x"}, "mautic_url"),
        ({"mautic_url": "https://m\x1b.example", "mautic_client_secret": "x", "mautic_password": "x"}, "mautic_url"),
        ({"mautic_method": "telepathy"}, "mautic_method"),
        ({"mautic_client_id": "x" * 255}, "mautic_client_id"),
    ],
)
def test_bad_input_names_the_field_and_saves_nothing(
    admin: Person, path: str, connector: Read, change: dict[str, str], field: str
) -> None:
    before = connector().updated_at, connector().secrets
    answer = admin.post(path, typed(**change))
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert "Nothing was saved." in text_of(answer)
    assert (connector().updated_at, connector().secrets) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"store_url": "https://evil.example.com"}, "store_key"),
        ({"store_url": "http://127.0.0.1:9"}, "store_key"),
        ({"mautic_url": "https://evil.example.com"}, "mautic_password"),
        ({"mautic_url": "https://127.0.0.1:10", "mautic_password": "typed"}, "mautic_client_secret"),
    ],
)
@pytest.mark.parametrize("way", ["", "/test"])
def test_a_stored_secret_is_not_sent_to_a_new_address(
    admin: Person, path: str, way: str, change: dict[str, str], field: str
) -> None:
    answer = admin.post(path + way, typed(**change))
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text


def test_mending_releases_the_wait_of_a_hold(admin: Person, path: str, services: Services, connector: Read) -> None:
    from datetime import timedelta

    from integration.models import Hold
    from integration.pipeline.connectors import holds

    now = services.clock.now()
    with services.db.write() as session:
        session.add(
            Hold(
                connector_id=connector().id,
                service="mautic",
                code="wrong_credentials",
                sentence="Mautic refused the credentials.",
                since=now,
                probe_at=now + timedelta(hours=1),
                probes=5,
            )
        )
    assert "Mautic refused the credentials." in text_of(admin.get(path))
    admin.post(path, typed(mautic_client_secret="right"))
    with services.db.read() as session:
        assert [hold.probe_at for hold in holds.open_holds(session, connector().id)] == [now]


def test_values_are_shown_as_text_and_not_as_markup(admin: Person, path: str) -> None:
    admin.post(path, typed(name="<script>alert(1)</script>"))
    page = admin.get(path).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_viewers_see_the_addresses_but_no_form(viewer: Person, path: str) -> None:
    page = viewer.get(path)
    assert "https://127.0.0.1:9" in page.text
    assert "Only administrators change the connection." in text_of(page)
    assert "Save changes" not in page.text
    assert "Test connection" not in page.text
    assert "/hooks/" not in page.text


def test_the_recommended_way_comes_first_with_its_reason(admin: Person, path: str) -> None:
    words = text_of(admin.get(path))
    assert words.index("OAuth2 client credentials (recommended)") < words.index("Basic: user name")
    assert "Recommended: the right to call the API has a name of its own" in words


def test_the_redirect_uri_is_ready_to_copy(admin: Person, path: str) -> None:
    page = admin.get(path).text
    assert '<code id="redirect-uri">http://127.0.0.1:8000/oauth/mautic/callback</code>' in page


def test_a_new_connector_starts_empty(admin: Person, services: Services) -> None:
    number = pairs.create(services, organisation_id=1, name="Fresh")
    words = text_of(admin.get(f"/connectors/{number}/connection"))
    assert "Save the store's key first" in words
