from __future__ import annotations

from datetime import timedelta

import pytest

from integration.errors import AuthRejected, NotSetUp, Rejected, ServerFault, ServiceError, Throttled
from integration.http.transport import Answer
from integration.mautic.answers import classify, first_problem, read, retry_after
from tests.mautic.script import NOON, Canned, canned, page, recorded


def answer_of(given: Canned) -> Answer:
    headers = {name.lower(): value for name, value in given.headers.items()}
    return Answer(given.status, headers, given.body.encode(), 0.1, "http://mautic.test/api/x")


def error_of(given: Canned, path: str = "contacts", basic: bool = True) -> ServiceError:
    error = classify(answer_of(given), NOON, basic=basic, path=path)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("001", NotSetUp, "header_lost"),
        ("002", AuthRejected, "wrong_credentials"),
        ("005", AuthRejected, "token_refused"),
        ("011", AuthRejected, "invalid_client"),
        ("014", AuthRejected, "unauthorized_client"),
        ("018", AuthRejected, "token_refused"),
        ("037", Rejected, "refused"),
        ("042", Rejected, "refused"),
        ("063", NotSetUp, "no_route"),
        ("075", Rejected, "not_found"),
        ("119", Rejected, "not_unique"),
        ("144", ServerFault, "server_fault"),
        ("166", ServerFault, "server_fault"),
        ("236", AuthRejected, "no_right"),
        ("349", AuthRejected, "no_right"),
        ("354", NotSetUp, "basic_disabled"),
        ("355", NotSetUp, "api_disabled"),
        ("358", NotSetUp, "api_disabled"),
        ("359", Throttled, "throttled"),
        ("360", ServerFault, "server_fault"),
        ("364", ServerFault, "gateway"),
    ],
)
def test_each_recorded_refusal_has_its_error(number: str, kind: type[ServiceError], code: str) -> None:
    error = error_of(recorded(number))
    assert type(error) is kind
    assert (error.code, error.status) == (code, recorded(number).status)
    assert error.sentence.endswith(".") and error.hint.endswith(".")


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (page(401), NotSetUp, "web_login"),
        (page(403, "<title>Just a moment…</title>"), NotSetUp, "bot_wall"),
        (page(406, "Not Acceptable"), NotSetUp, "firewall"),
        (page(404), NotSetUp, "not_mautic"),
        (page(405), NotSetUp, "method_blocked"),
        (page(501), NotSetUp, "method_blocked"),
        (page(413), Rejected, "too_large"),
        (page(408), ServerFault, "gateway"),
        (page(524), ServerFault, "gateway"),
        (page(500, "<title>Site is offline</title>"), ServerFault, "site_offline"),
        (canned({"code": "rest_no_route", "message": "No route"}, 404), NotSetUp, "store_as_mautic"),
        (
            canned({"errors": [{"code": 409, "message": "", "details": {"checkedOut": "x"}}]}, 409),
            ServerFault,
            "locked",
        ),
        (canned({"error": "invalid_grant", "error_description": "old"}, 400), AuthRejected, "grant_refused"),
    ],
)
def test_each_answer_of_a_machine_in_front_has_its_error(given: Canned, kind: type[ServiceError], code: str) -> None:
    error = error_of(given)
    assert (type(error), error.code) == (kind, code)


def test_basic_auth_off_is_told_in_any_language() -> None:
    body = {"errors": [{"code": 403, "message": "Basis-Anmeldung abgeschaltet.", "type": "access_denied"}]}
    assert error_of(canned(body, 403), basic=True).code == "basic_disabled"
    assert error_of(canned(body, 403), basic=False).code == "no_right"


def test_a_redirect_names_where_it_leads() -> None:
    error = error_of(Canned(301, "", {"Location": "https://www.shop.test/mautic/api/contacts"}))
    assert (type(error), error.code) == (NotSetUp, "redirected")
    assert "https://www.shop.test/mautic/api/contacts" in error.sentence


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("contacts/batch/new", "contacts: view, create and edit"),
        ("notes/new", "Administrator"),
        ("contacts/7/notes", "Administrator"),
        ("segments", "segments: view"),
        ("emails/1/contact/2/send", "emails: view"),
        ("fields/contact/new", "custom fields: full"),
    ],
)
def test_a_missing_right_is_named(path: str, words: str) -> None:
    assert words in error_of(recorded("349"), path).hint


def test_details_are_read_whether_object_or_list() -> None:
    error = error_of(recorded("042"))
    assert isinstance(error, Rejected) and error.details == {"country": ["This value is not valid."]}
    assert "country: This value is not valid." in error.sentence
    empty = first_problem({"errors": [{"code": 400, "message": "m", "details": []}]})
    assert empty is not None and empty.details == {} and not empty.kernel


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "Fri, 20 Nov 2026 12:01:30 GMT"}, 90),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": str(int((NOON + timedelta(seconds=45)).timestamp()))}, 45),
        ({"x-ratelimit-reset": "120"}, 120),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOON) == seconds


def test_503_with_retry_after_asks_to_wait_and_without_is_a_fault() -> None:
    told = error_of(Canned(503, "<html>", {"Content-Type": "text/html", "Retry-After": "7"}))
    assert isinstance(told, Throttled) and told.retry_after == 7
    assert isinstance(error_of(page(503)), ServerFault)


@pytest.mark.parametrize("prefix", ["", "\ufeff", "<br />\nDeprecated: strlen() in x.php on line 3\n"])
def test_json_is_read_behind_what_php_prints(prefix: str) -> None:
    assert read(answer_of(Canned(200, prefix + '{"total": "0"}', {"Content-Type": "text/html"}))) == {"total": "0"}


def test_a_page_is_no_mautic_and_half_an_answer_is_a_fault() -> None:
    with pytest.raises(NotSetUp) as told:
        read(answer_of(page(200)))
    assert told.value.code == "not_mautic"
    with pytest.raises(ServerFault) as cut:
        read(answer_of(Canned(200, '{"contacts": {"1"', {"Content-Type": "application/json"})))
    assert cut.value.code == "unreadable"


def test_secrets_are_masked_in_the_excerpt() -> None:
    body = {"errors": [{"code": 400, "message": "access_token=abcdef", "details": []}]}
    assert "abcdef" not in error_of(canned(body, 400)).excerpt
