"""The part of the table about Mautic's own refusals.

They have no marks: integration.mautic.answers picks the row, as it takes the path that was asked for and how we signed
in to tell them apart. {area} is a part of the API, {right} what a role needs for it.
"""

from __future__ import annotations

from integration.errors import AuthRejected, Blame, NotSetUp, Rejected, ServerFault, ServiceError
from integration.http.marks import Signature

_RENEW = "Authorise again on the Connection page"


def _row(
    code: str, kind: type[ServiceError], sentence: str, hint: str, *numbers: str, blame: Blame | None = None
) -> Signature:
    return Signature(code, kind, sentence, hint, numbers, (), "mautic", blame)


_CREDENTIALS = (
    _row(
        "api_disabled",
        NotSetUp,
        "The API is switched off in Mautic.",
        "Enable it in Mautic under Settings, Configuration, API Settings, and clear Mautic's cache.",
        "M01",
    ),
    _row(
        "basic_disabled",
        NotSetUp,
        "HTTP basic auth is switched off in Mautic.",
        "Enable it in Mautic's API settings, or connect with OAuth2 client credentials.",
        "M02",
    ),
    _row(
        "header_lost",
        NotSetUp,
        "Mautic did not receive the credentials that were sent.",
        "The web server drops the Authorization header: set CGIPassAuth On (Apache) or fastcgi_param "
        "HTTP_AUTHORIZATION.",
        "M03",
    ),
    _row(
        "no_credentials",
        AuthRejected,
        "No credentials for Mautic are entered.",
        "Enter them on the Connection page.",
    ),
    _row(
        "not_authorised",
        AuthRejected,
        "Mautic has not been authorised yet.",
        "Press Authorise on the Connection page and sign in to Mautic.",
    ),
    _row(
        "wrong_credentials",
        AuthRejected,
        "Mautic refused the user name or the password.",
        "Enter them again, and check that the user is published in Mautic.",
        "M04",
    ),
    _row(
        "invalid_client",
        AuthRejected,
        "Mautic does not know this client id and secret.",
        "Copy both again from Mautic's API Credentials; the id begins with a number and an underscore.",
        "M05",
    ),
    _row(
        "invalid_request",
        AuthRejected,
        "Mautic did not get the request for a token as it was sent.",
        "Look for a proxy or firewall that changes form bodies, and exempt /oauth/* from its rules.",
        "M06",
    ),
    _row(
        "unauthorized_client",
        AuthRejected,
        "This Mautic client may not sign in this way.",
        "Create new API Credentials in Mautic of the kind OAuth 2; client credentials need Mautic 4 or newer.",
        "M07",
    ),
    _row(
        "token_refused",
        AuthRejected,
        "Mautic refused the access token.",
        "If it goes on, check the clock of Mautic's server and create the API Credentials anew.",
        "M08",
    ),
    _row(
        "grant_refused",
        AuthRejected,
        "Mautic no longer accepts the authorisation.",
        f"{_RENEW}; an authorisation that rests for 14 days is lost.",
    ),
    _row(
        "no_right",
        AuthRejected,
        "The Mautic account lacks a right it needs for {area}.",
        "Give its role the right for {right}.",
    ),
)

_ANSWERS = (
    _row(
        "no_route",
        NotSetUp,
        "Mautic does not know this API address.",
        "Use https if Mautic does, check the path, and clear Mautic's cache (var/cache) after switching the API on.",
        "M09",
    ),
    _row(
        "locked",
        ServerFault,
        "The entry is being edited in Mautic.",
        "It is tried again by itself once the editor is closed.",
        "M30",
    ),
    _row(
        "too_many_fields",
        Rejected,
        "Mautic's contact table has no room for another field.",
        "Delete fields that nobody uses, shorten text fields, or make long ones a textarea; then create it again.",
        "M25",
    ),
    _row(
        "refused",
        Rejected,
        "Mautic refused the record{said}.",
        "Correct the value in the store, or leave the field out of the mapping.",
        "M19",
        "M20",
    ),
    _row(
        "required_field",
        Rejected,
        "Mautic demands a value for {fields}, and the record has none.",
        "Switch off Required for this field in Mautic; what waits is then sent by itself.",
        blame=Blame.NOBODY,
    ),
    _row(
        "not_found",
        Rejected,
        "Mautic has no such entry{said}.",
        "It was deleted or merged in Mautic; sync the record again.",
    ),
    _row(
        "not_unique",
        Rejected,
        "Mautic already has this value in another contact{said}.",
        "Merge the contacts in Mautic: run bin/console mautic:contacts:deduplicate.",
    ),
)

MAUTIC = (*_CREDENTIALS, *_ANSWERS)
