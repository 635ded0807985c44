"""Test connection of a Mautic: each cause of E3 is named, with what to do."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import Clock, SetClock
from integration.http.transport import Route
from integration.mautic.access import MauticAccess, MemoryTokens
from integration.mautic.client import MauticClient
from integration.mautic.fields import Fields
from integration.operations.support.diagnostics import Step, mautic_steps
from integration.plans import FieldNeed
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.operations.diagnostics.conftest import Certificate, Scripted
from tests.operations.diagnostics.stepping import failure, outcome, warning

NEEDS = (FieldNeed("mautic_woo_order_count", "Woo order count", "number"),)
KNOWN = MauticServer().credentials


def access_of(url: str, **values: Any) -> MauticAccess:
    given = {"method": "basic", "user": KNOWN.user, "password": KNOWN.password} | values
    return MauticAccess(url, **given)


def look(url: str, *, clock: Clock | None = None, needs: tuple[FieldNeed, ...] = (), **values: Any) -> list[Step]:
    route = Route(ca=values.pop("ca", None), read_timeout=values.pop("read_timeout", 5))
    return list(mautic_steps(access_of(url, **values), MemoryTokens(), needs, clock or Clock(), route))


def look_with_client(url: str, **values: Any) -> list[Step]:
    given = {"client_id": KNOWN.client_id, "client_secret": KNOWN.client_secret} | values
    return look(url, method="client_credentials", user="", password="", **given)


def test_a_mautic_that_is_well_with_basic_auth(mautic: MauticServer) -> None:
    steps = look(mautic.url)
    assert [step.state for step in steps] == ["ok"] * 5
    assert steps[1].facts == {"version": "5.2.1"}
    assert steps[3].sentence == "Signed in as admin (Administrator)."
    areas = ["contacts", "fields", "segments", "emails", "notes", "writing_contacts"]
    assert steps[3].facts == dict.fromkeys(areas, "yes")


def test_a_mautic_that_is_well_with_client_credentials(mautic: MauticServer) -> None:
    steps = look_with_client(mautic.url)
    assert [step.state for step in steps] == ["ok"] * 5
    assert steps[1].sentence == "This is Mautic 5.2.1."


def test_a_mautic_over_https(certificate: Certificate) -> None:
    with MauticServer(ssl_context=certificate.context) as server:
        steps = look(server.url, ca=certificate.ca)
        assert outcome(failure(look(server.url))) == (1, "tls_chain")
    assert [step.state for step in steps] == ["ok"] * 5
    assert steps[0].facts["encrypted"] is True


def test_nothing_is_changed_in_mautic(mautic: MauticServer) -> None:
    look(mautic.url)
    assert not mautic.state.contacts


def test_port_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert outcome(failure(look(f"http://127.0.0.1:{port}"))) == (1, "refused")


def test_name_that_does_not_exist() -> None:
    assert outcome(failure(look("https://mautic.invalid"))) == (1, "dns")


def test_address_without_a_scheme() -> None:
    step = failure(look("mautic.test"))
    assert outcome(step) == (1, "bad_address")
    assert "https://" in step.hint


def test_server_that_never_answers(mautic: MauticServer) -> None:
    mautic.faults.hang(10)
    assert outcome(failure(look(mautic.url, read_timeout=0.2))) == (1, "timeout")


def test_redirect_to_https_names_where_to(scripted: Scripted) -> None:
    scripted.say("/mautic/api/users/self", 301, Location="https://127.0.0.1/mautic/api/users/self")
    step = failure(look(f"{scripted.url}/mautic"))
    assert outcome(step) == (1, "redirect_https")
    assert "Enter https://127.0.0.1/mautic " in step.hint


def test_redirect_to_itself_behind_a_proxy(scripted: Scripted) -> None:
    scripted.say("/api/users/self", 301, Location="/api/users/self")
    step = failure(look(scripted.url))
    assert outcome(step) == (1, "redirect_loop")
    assert "X-Forwarded-Proto" in step.hint


def test_store_given_as_mautic(store: StoreServer) -> None:
    assert outcome(failure(look(store.url))) == (2, "store_as_mautic")


def test_other_site(scripted: Scripted) -> None:
    assert outcome(failure(look(scripted.url))) == (2, "not_mautic")


def test_page_instead_of_an_answer(mautic: MauticServer) -> None:
    mautic.faults.html()
    step = failure(look(mautic.url))
    assert outcome(step) == (2, "not_mautic")
    assert step.facts["answer"].startswith("Welcome")


def test_bot_wall(scripted: Scripted) -> None:
    page = "<!DOCTYPE html><title>Just a moment...</title>"
    scripted.say("/api/users/self", 403, page, Content_Type="text/html", cf_ray="8a")
    step = failure(look(scripted.url))
    assert outcome(step) == (2, "bot_wall")
    assert "/api/*" in step.hint


def test_mautic_is_down(mautic: MauticServer) -> None:
    mautic.faults.status(502)
    assert outcome(failure(look(mautic.url))) == (2, "gateway")


def test_database_is_down(mautic: MauticServer) -> None:
    mautic.faults.status(500, body=mautic.database_down())
    step = failure(look(mautic.url))
    assert outcome(step) == (2, "crashed")
    assert "var/logs" in step.hint


@pytest.mark.parametrize("prefix", ["\ufeff", "<br />\n<b>Deprecated</b>: x in y.php on line 1<br />\n"])
def test_something_printed_before_the_json_works_with_a_warning(mautic: MauticServer, prefix: str) -> None:
    mautic.faults.prefix(prefix)
    step = warning(look(mautic.url))
    assert outcome(step) == (2, "bom" if prefix == "\ufeff" else "php_notice")


@pytest.mark.parametrize("suffix", ["\n<!-- cached -->", "<br /><b>Warning</b>: x in y.php on line 1", "0"])
def test_something_printed_behind_the_json_works_with_a_warning(mautic: MauticServer, suffix: str) -> None:
    mautic.faults.suffix(suffix)
    assert outcome(warning(look(mautic.url))) == (2, "php_notice")


def test_api_is_off(mautic: MauticServer) -> None:
    mautic.faults.api_disabled()
    for steps in (look(mautic.url), look_with_client(mautic.url)):
        step = failure(steps)
        assert outcome(step) == (3, "api_disabled")
        assert "API Settings" in step.hint


def test_api_path_is_unknown_to_mautic(scripted: Scripted) -> None:
    body = '{"errors":[{"message":"Requested URL not found: /api/users/self","code":404,"type":null}]}'
    scripted.say("/api/users/self", 404, body, Content_Type="application/json")
    step = failure(look(scripted.url))
    assert outcome(step) == (3, "no_route")
    assert "var/cache" in step.hint


def test_basic_auth_is_off(mautic: MauticServer) -> None:
    mautic.faults.basic_disabled()
    step = failure(look(mautic.url))
    assert outcome(step) == (4, "basic_disabled")
    assert "OAuth2" in step.hint
    assert [step.state for step in look_with_client(mautic.url)] == ["ok"] * 5


def test_wrong_password(mautic: MauticServer) -> None:
    steps = look(mautic.url, password="wrong")
    assert outcome(failure(steps)) == (4, "wrong_credentials")
    assert steps[1].sentence == "This is a Mautic; it tells its version after signing in."


def test_no_password(mautic: MauticServer) -> None:
    assert outcome(failure(look(mautic.url, password=""))) == (4, "no_credentials")


def test_wrong_client_secret(mautic: MauticServer) -> None:
    step = failure(look_with_client(mautic.url, client_secret="wrong"))
    assert outcome(step) == (4, "invalid_client")


def test_authorization_header_is_dropped(scripted: Scripted) -> None:
    body = '{"errors":[{"message":"API authorization denied.","code":401,"type":"access_denied"}]}'
    scripted.say("/api/users/self", 401, body, Content_Type="application/json")
    step = failure(look(scripted.url))
    assert outcome(step) == (4, "header_lost")


def test_missing_rights_are_named(mautic: MauticServer) -> None:
    step = failure(look(mautic.url, user=KNOWN.viewer, password=KNOWN.viewer_password))
    assert outcome(step) == (4, "missing_rights")
    assert "writing contacts" in step.sentence
    assert "contacts: view, create and edit" in step.hint
    assert (step.facts["contacts"], step.facts["writing_contacts"]) == ("yes", "no")
    assert not mautic.state.contacts


def test_rights_that_only_some_features_need_are_a_warning(mautic: MauticServer) -> None:
    role = mautic.state.roles[mautic.state.users[3]["role"]]
    role["rawPermissions"]["lead:fields"] = ["full"]
    steps = look(mautic.url, user=KNOWN.editor, password=KNOWN.editor_password)
    step = warning(steps)
    assert outcome(step) == (4, "some_rights_missing")
    assert step.facts["notes"] == "no"
    assert "Administrator" in step.hint


def test_rate_limit(mautic: MauticServer) -> None:
    mautic.faults.rate_limit(3, retry_after=90)
    step = failure(look(mautic.url))
    assert outcome(step) == (4, "throttled")
    assert "90 seconds" in step.sentence


def test_fault_after_signing_in(mautic: MauticServer) -> None:
    mautic.faults.status(500, path="/api/segments")
    assert outcome(failure(look(mautic.url))) == (4, "server_fault")


def test_rate_limit_of_a_proxy(scripted: Scripted) -> None:
    scripted.say("/api/users/self", 429, "<html>slow down</html>", Retry_After="30", Content_Type="text/html")
    step = failure(look(scripted.url))
    assert outcome(step) == (2, "throttled")
    assert "30 seconds" in step.sentence


def test_clocks_that_differ_are_a_warning(mautic: MauticServer) -> None:
    step = warning(look(mautic.url, clock=SetClock(datetime.now(UTC) - timedelta(minutes=8))))
    assert outcome(step) == (1, "clock_skew")
    assert "8 minutes ahead" in step.sentence


def test_missing_fields_are_named(mautic: MauticServer) -> None:
    step = warning(look(mautic.url, needs=NEEDS))
    assert outcome(step) == (5, "fields_missing")
    assert "mautic_woo_order_count" in step.sentence
    assert step.facts["missing"] == ["mautic_woo_order_count"]


def test_fields_that_are_there_are_counted(mautic: MauticServer) -> None:
    Fields(MauticClient(access_of(mautic.url))).create_all(NEEDS)
    step = look(mautic.url, needs=NEEDS)[4]
    assert (step.state, step.sentence) == ("ok", "All 1 needed fields are there and fit.")


def test_field_of_the_wrong_type(mautic: MauticServer) -> None:
    Fields(MauticClient(access_of(mautic.url))).create(FieldNeed(NEEDS[0].alias, NEEDS[0].label, "date"))
    step = warning(look(mautic.url, needs=NEEDS))
    assert outcome(step) == (5, "fields_unfit")


def test_no_field_is_needed(mautic: MauticServer) -> None:
    assert look(mautic.url)[4].sentence == "The modules that are on need no fields of their own."


def test_a_field_that_is_there_twice_is_a_warning(mautic: MauticServer) -> None:
    Fields(MauticClient(access_of(mautic.url))).create_all(
        [*NEEDS, FieldNeed("mautic_woo_order_count1", "Woo order count", "number")]
    )
    step = warning(look(mautic.url, needs=NEEDS))
    assert outcome(step) == (5, "fields_doubled")
    assert "mautic_woo_order_count1" in step.sentence


def test_a_unique_field_beside_the_e_mail_is_a_warning(mautic: MauticServer) -> None:
    with mautic.state.lock:
        for row in mautic.state.fields.values():
            row["isUniqueIdentifier"] = row["alias"] in ("email", "phone")
        mautic.state.reindex()
    step = warning(look(mautic.url))
    assert outcome(step) == (5, "fields_unique")
    assert step.facts["unique"] == ["phone"]
    assert "phone" in step.sentence and "Is Unique Identifier" in step.hint


def test_a_required_field_beside_the_e_mail_is_a_warning(mautic: MauticServer) -> None:
    with mautic.state.lock:
        for row in mautic.state.fields.values():
            row["isRequired"] = row["alias"] in ("email", "company")
    step = warning(look(mautic.url))
    assert outcome(step) == (5, "fields_required")
    assert step.facts["required"] == ["company"]
    assert "company" in step.sentence and "Required" in step.hint
