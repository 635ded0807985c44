"""The signatures M01 to M36 of Mautic."""

from __future__ import annotations

from tests.operations.diagnostics.signatures import (
    Case,
    Classified,
    Elsewhere,
    Said,
    Stepped,
    entity,
    kernel,
    ok,
    page,
    recorded,
    wordpress,
)

ME = "/api/users/self"
CRASH = "Looks like I encountered an error (error #500). If I do it again, please report me to the administrator!"
HERE = "tests/operations/diagnostics/test_mautic_steps.py"


def told(said: Said, kind: str, code: str, says: str, do: str, path: str = "contacts", basic: bool = False) -> Case:
    return Classified("mautic", said, kind, code, says, do, path, basic)


def step(said: Said, number: int, code: str, says: str, do: str, state: str = "failed", **more: Said) -> Case:
    answers = {ME: said, **{name.replace("_", "/"): answer for name, answer in more.items()}}
    return Stepped("mautic", answers, number, code, says, do, state)


OFFLINE = page(500, "<title>Site is offline</title>")
SHUT = recorded("mautic/355")
NO_BASIC = recorded("mautic/354")
NOTHING_CAME = recorded("mautic/001")
WRONG = recorded("mautic/002")
BROKEN = kernel(500, CRASH)
LIMIT = recorded("mautic/359")
CHALLENGE = page(403, "<title>Just a moment...</title>", cf_ray="8f", server="cloudflare")
ATTENTION = page(503, "<title>Attention Required! | Cloudflare</title>", cf_ray="8f")
NO_API = kernel(404, "Looks like I encountered an error (error #404).")
NOTICE = Said(401, "<br />\n<b>Deprecated</b>: x in y.php on line 1<br />\n" + NOTHING_CAME.body, NOTHING_CAME.headers)
SECURE = Said(301, "", {"Location": "https://{host}/api/users/self"})
LOOP = Said(301, "", {"Location": "http://{host}/api/users/self"})
INDEX = ok({"name": "Shop", "namespaces": ["wp/v2"]})
LONG = entity(400, "firstname: too long", firstname=["This value is too long. It should have 64 characters or less."])
ROOM = "exception: SQLSTATE[42000]: 1118 Row size too large."

MAUTIC: dict[str, tuple[Case, ...]] = {
    "M01": (
        told(SHUT, "NotSetUp", "api_disabled", "switched off in Mautic", "API Settings"),
        step(SHUT, 3, "api_disabled", "switched off in Mautic", "API Settings"),
    ),
    "M02": (
        told(NO_BASIC, "NotSetUp", "basic_disabled", "basic auth is switched off", "OAuth2", basic=True),
        step(NO_BASIC, 4, "basic_disabled", "basic auth is switched off", "OAuth2"),
    ),
    "M03": (
        told(NOTHING_CAME, "NotSetUp", "header_lost", "did not receive the credentials", "CGIPassAuth"),
        step(NOTHING_CAME, 4, "header_lost", "did not receive the credentials", "HTTP_AUTHORIZATION"),
    ),
    "M04": (
        told(WRONG, "AuthRejected", "wrong_credentials", "user name or the password", "published", basic=True),
        step(WRONG, 4, "wrong_credentials", "user name or the password", "published"),
    ),
    "M05": (told(recorded("mautic/011"), "AuthRejected", "invalid_client", "client id and secret", "a number and an"),),
    "M06": (
        told(
            kernel(400, "Invalid grant_type parameter or parameter missing", "invalid_request"),
            "AuthRejected",
            "invalid_request",
            "request for a token",
            "/oauth/*",
        ),
    ),
    "M07": (
        told(
            kernel(400, "The grant type is unauthorized for this client_id", "unauthorized_client"),
            "AuthRejected",
            "unauthorized_client",
            "may not sign in this way",
            "Mautic 4 or newer",
        ),
    ),
    "M08": (
        told(recorded("mautic/018"), "AuthRejected", "token_refused", "access token", "clock"),
        Elsewhere(
            "integration.mautic.client:MauticClient",
            "tests/mautic/test_auth.py::test_a_refused_token_is_replaced_once",
            "The first refusal costs nothing: a fresh token is fetched.",
        ),
    ),
    "M09": (
        told(NO_API, "NotSetUp", "no_route", "does not know this API address", "var/cache"),
        step(NO_API, 3, "no_route", "does not know this API address", "var/cache"),
        Stepped(
            "mautic",
            {ME: page(404, "Not Found"), f"/index.php{ME}": NOTHING_CAME},
            2,
            "rewrite_missing",
            "behind index.php only",
            "AllowOverride All",
        ),
    ),
    "M10": (
        Elsewhere(
            "integration.mautic.access:root",
            "tests/mautic/test_access.py::test_the_root_is_found_in_what_people_paste",
            "Slashes are taken away before anything is asked.",
        ),
    ),
    "M11": (
        told(SECURE, "NotSetUp", "redirected", "sends on to", "Enter"),
        step(SECURE, 1, "redirect_https", "sends on to https", "Enter https://"),
    ),
    "M12": (step(LOOP, 1, "redirect_loop", "without end", "trust the proxy"),),
    "M13": (
        told(page(200, "Hello"), "NotSetUp", "not_mautic", "does not answer as Mautic", "sub-directory"),
        step(page(200, "Hello"), 2, "not_mautic", "does not answer as Mautic", "sub-directory"),
        Stepped(
            "mautic",
            {ME: wordpress(404, "rest_no_route", "No route"), "/wp-json/": INDEX},
            2,
            "store_as_mautic",
            "WordPress site, not a Mautic",
            "Mautic's own address",
        ),
    ),
    "M14": (
        told(OFFLINE, "ServerFault", "site_offline", "error of its own", "var/logs"),
        step(OFFLINE, 2, "site_offline", "PHP broke off", "memory_limit"),
    ),
    "M15": (
        told(kernel(500, CRASH), "ServerFault", "server_fault", "error of its own", "var/logs", "contacts/batch/new"),
        Elsewhere(
            "integration.mautic.verdicts:of_the_server",
            "tests/mautic/test_contacts_sandbox.py::test_a_poisonous_row_is_found_by_halving",
            "The batch is halved until the one record is found; the others are written.",
        ),
    ),
    "M16": (step(BROKEN, 2, "crashed", "fails at every call", "doctrine:migrations:migrate"),),
    "M17": (
        told(
            kernel(500, "A max of 200 entities are supported at a time."),
            "ServerFault",
            "server_fault",
            "error of its own",
            "tried again",
        ),
        Elsewhere(
            "integration.mautic.batches:BATCH_MAX_ROWS",
            "tests/mautic/test_batches.py::test_no_batch_is_larger_than_mautic_takes",
            "No batch is ever larger.",
        ),
    ),
    "M18": (
        told(recorded("mautic/119"), "Rejected", "not_unique", "in another contact", "mautic:contacts:deduplicate"),
        Elsewhere(
            "integration.mautic.verdicts:of_a_row",
            "tests/mautic/test_contacts_sandbox.py::test_duplicates_in_mautic_are_named_and_disturb_nobody",
            "In a batch it is the fault of one row (duplicate_in_mautic).",
        ),
    ),
    "M19": (
        told(recorded("mautic/042"), "Rejected", "refused", "country: This value is not valid", "out of the mapping"),
        Elsewhere(
            "integration.mautic.repairs:Job",
            "tests/mautic/test_contact_refusals.py::test_a_refused_country_is_tried_in_other_spellings_and_then_left_out",
            "Other spellings are tried, then the value is left out.",
        ),
    ),
    "M20": (
        told(LONG, "Rejected", "refused", "firstname: This value is too long", "Correct the value"),
        Elsewhere(
            "integration.mautic.repairs:Job",
            "tests/mautic/test_contact_refusals.py::test_a_value_that_is_too_long_is_shortened",
            "The value is shortened and sent again.",
        ),
    ),
    "M21": (
        Elsewhere(
            "integration.mautic.verdicts:unsendable",
            "tests/mautic/test_contacts.py::test_an_address_that_mautic_would_garble_is_never_sent",
            "Such an address is refused before it is sent (email_refused).",
        ),
    ),
    "M22": (
        Elsewhere(
            "integration.pipeline.delivery.read_back:ReadBack",
            "tests/road/test_read_back.py::test_a_contact_that_differs_is_an_error_of_the_log",
            "Only reading back shows it: Mautic answers 200.",
        ),
    ),
    "M23": (
        Elsewhere(
            "integration.mapping.fields:check",
            "tests/mautic/test_fields.py::test_a_field_made_in_the_background_is_not_published_yet",
            "The field counts as unpublished until Mautic has its column.",
        ),
    ),
    "M24": (
        Elsewhere(
            "integration.operations.support.diagnostics.texts:ADVICE",
            f"{HERE}::test_a_field_that_is_there_twice_is_a_warning",
            "It needs a whole Mautic with fields (fields_doubled).",
        ),
    ),
    "M25": tuple(
        told(entity(status, text), "Rejected", "too_many_fields", "no room for another field", "textarea", "fields/x")
        for status, text in (
            (500, ROOM),
            (400, "You have reached the limit of custom fields allowed by your database."),
            (500, "Too many keys specified; max 64 keys allowed"),
        )
    ),
    "M26": (
        told(
            recorded("mautic/349"),
            "AuthRejected",
            "no_right",
            "lacks a right",
            "role Administrator",
            "contacts/7/notes",
        ),
        Elsewhere(
            "integration.operations.support.diagnostics.texts:ADVICE",
            f"{HERE}::test_rights_that_only_some_features_need_are_a_warning",
            "Other rights are there, so it is a warning (some_rights_missing).",
        ),
    ),
    "M27": (
        told(
            recorded("mautic/349"), "AuthRejected", "no_right", "lacks a right", "segments: view", "segments/3/contacts"
        ),
        Elsewhere(
            "integration.mautic.segments:Segments",
            "tests/mautic/test_segments.py::test_a_segment_that_is_gone_or_unpublished_is_the_settings_fault",
            "The segment is looked at to tell the causes apart (segment_gone, segment_unpublished).",
        ),
    ),
    "M28": (
        Elsewhere(
            "integration.mautic.emails:Emails",
            "tests/mautic/test_emails.py::test_success_false_is_told_with_its_reason",
            "Mautic says so with status 200 (not_sent).",
        ),
    ),
    "M29": (
        told(LIMIT, "Throttled", "throttled", "too many requests", "raise the limit"),
        step(LIMIT, 2, "throttled", "too many requests", "raise the limit"),
        step(page(429, "Too many"), 2, "throttled", "too many requests", "raise the limit"),
    ),
    "M30": (
        told(entity(409, "locked", checkedOutBy="x"), "ServerFault", "locked", "being edited", "editor is closed"),
    ),
    "M31": (
        told(kernel(500, CRASH), "ServerFault", "server_fault", "error of its own", "tried again by itself"),
        Elsewhere(
            "integration.mautic.verdicts:of_the_server",
            "tests/mautic/test_contacts.py::test_a_race_that_another_writer_won_is_written_to_its_contact",
            "A deadlock is tried again, a lost race goes to the contact of the winner (server_fault).",
        ),
    ),
    "M32": (
        told(ATTENTION, "NotSetUp", "bot_wall", "wall against bots", "/oauth/*"),
        told(CHALLENGE, "NotSetUp", "bot_wall", "wall against bots", "/oauth/*"),
        step(CHALLENGE, 2, "bot_wall", "wall against bots", "/api/* and /oauth/*"),
        step(ATTENTION, 2, "bot_wall", "wall against bots", "WAF, skip rule"),
    ),
    "M33": (
        told(page(405, "Not allowed"), "NotSetUp", "method_blocked", "this kind of request", "PATCH"),
        told(page(501, "Not Implemented"), "NotSetUp", "method_blocked", "this kind of request", "PATCH"),
        Elsewhere(
            "integration.mautic.client:MauticClient",
            "tests/mautic/test_client.py::test_a_blocked_method_goes_as_post_and_that_is_remembered",
            "X-HTTP-Method-Override is used by itself.",
        ),
    ),
    "M34": (
        told(page(524, "A timeout occurred"), "ServerFault", "gateway", "gets no answer from it", "server's load"),
        step(page(504, "Gateway Time-out"), 2, "gateway", "gets no answer from it", "php-fpm"),
        Elsewhere(
            "integration.http.errors:translate",
            f"{HERE}::test_server_that_never_answers",
            "Without any answer it is the transport's own error (timeout).",
        ),
    ),
    "M35": (step(NOTICE, 2, "php_notice", "notice or warning before the JSON", "display_errors", "warning"),),
    "M36": (
        Elsewhere(
            "integration.operations.reconciliation.findings:KINDS",
            "tests/operations/reconciliation/test_reconciliation.py::test_twins_are_named_and_the_link_is_set_to_the_oldest",
            "Only comparing everything shows it (doubled).",
        ),
    ),
}
