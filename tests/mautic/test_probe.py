from __future__ import annotations

import pytest

from integration.errors import AuthRejected, NotSetUp, ServerFault, ServiceError
from integration.mautic import probe
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.sandbox.mautic import MauticServer
from tests.mautic.script import Canned, Script, canned, page


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ("355", NotSetUp, "api_disabled"),
        ("063", NotSetUp, "no_route"),
        ("364", ServerFault, "gateway"),
        (page(200), NotSetUp, "not_mautic"),
        (page(404), NotSetUp, "not_mautic"),
        (page(401), NotSetUp, "web_login"),
        (canned({"code": "rest_no_route"}, 404), NotSetUp, "store_as_mautic"),
        (Canned(301, "", {"Location": "https://www.example.com/api/users/self"}), NotSetUp, "redirected"),
    ],
)
def test_each_wrong_address_is_named(
    answer: Canned | str, kind: type[ServiceError], code: str, basic: MauticClient, script: Script
) -> None:
    script.then(answer)
    with pytest.raises(kind) as told:
        probe.identity(basic)
    assert told.value.code == code


def test_who_we_are(basic: MauticClient, script: Script) -> None:
    script.then("019")
    assert probe.identity(basic) == probe.Identity(1, "admin", "Administrator", True)
    assert basic.version == "5.2.1"


@pytest.mark.parametrize("answer", ["349", "075"])
def test_a_client_that_is_no_user_is_nobody(answer: str, basic: MauticClient, script: Script) -> None:
    script.then(answer)
    assert probe.identity(basic) is None


def test_wrong_credentials_are_not_nobody(basic: MauticClient, script: Script) -> None:
    script.then("002")
    with pytest.raises(AuthRejected) as told:
        probe.identity(basic)
    assert told.value.code == "wrong_credentials"


@pytest.mark.parametrize("area", probe.AREAS)
def test_an_admin_may_everything(area: str, client: MauticClient) -> None:
    probe.check(client, area)


@pytest.mark.parametrize(
    ("area", "allowed"), [("contacts", True), ("segments", True), ("notes", False), ("fields", False)]
)
def test_each_missing_right_is_named(area: str, allowed: bool, mautic: MauticServer) -> None:
    access = MauticAccess(mautic.url, "basic", mautic.credentials.editor, mautic.credentials.editor_password)
    client = MauticClient(access)
    if allowed:
        probe.check(client, area)
        return
    with pytest.raises(AuthRejected) as told:
        probe.check(client, area)
    assert told.value.code == "no_right" and area in told.value.sentence
