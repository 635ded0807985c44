"""The sentences of Mautic's refusals: each is (what is wrong, what to do), by the dossier's catalogue M01 to M36."""

from __future__ import annotations

from integration.http.upstream import texts_of

Cause = tuple[str, str]

NOT_MAUTIC: Cause = texts_of("mautic", "not_mautic")
UNREADABLE: Cause = texts_of("mautic", "unreadable")

OFFLINE: Cause = (
    "Mautic failed with an error of its own.",
    "It is tried again by itself; the reason stands in Mautic's var/logs.",
)
LOCKED: Cause = ("The entry is being edited in Mautic.", "It is tried again by itself once the editor is closed.")
NO_ROOM: Cause = (
    "Mautic's contact table has no room for another field.",
    "Delete fields that nobody uses, shorten text fields, or make long ones a textarea; then create it again.",
)
NO_ROUTE: Cause = (
    "Mautic does not know this API address.",
    "Use https if Mautic does, check the path, and clear Mautic's cache (var/cache) after switching the API on.",
)
API_DISABLED: Cause = (
    "The API is switched off in Mautic.",
    "Enable it in Mautic under Settings, Configuration, API Settings, and clear Mautic's cache.",
)
BASIC_DISABLED: Cause = (
    "HTTP basic auth is switched off in Mautic.",
    "Enable it in Mautic's API settings, or connect with OAuth2 client credentials.",
)
HEADER_LOST: Cause = (
    "Mautic did not receive the credentials that were sent.",
    "The web server drops the Authorization header: set CGIPassAuth On (Apache) or fastcgi_param HTTP_AUTHORIZATION.",
)
NO_CREDENTIALS: Cause = ("No credentials for Mautic are entered.", "Enter them on the Connection page.")
NOT_AUTHORISED: Cause = (
    "Mautic has not been authorised yet.",
    "Press Authorise on the Connection page and sign in to Mautic.",
)

CREDENTIALS: dict[str, Cause] = {
    "wrong_credentials": (
        "Mautic refused the user name or the password.",
        "Enter them again, and check that the user is published in Mautic.",
    ),
    "invalid_client": (
        "Mautic does not know this client id and secret.",
        "Copy both again from Mautic's API Credentials; the id begins with a number and an underscore.",
    ),
    "invalid_request": (
        "Mautic did not get the request for a token as it was sent.",
        "Look for a proxy or firewall that changes form bodies, and exempt /oauth/* from its rules.",
    ),
    "unauthorized_client": (
        "This Mautic client may not sign in this way.",
        "Create new API Credentials in Mautic of the kind OAuth 2; client credentials need Mautic 4 or newer.",
    ),
    "token_refused": (
        "Mautic refused the access token.",
        "If it goes on, check the clock of Mautic's server and create the API Credentials anew.",
    ),
    "grant_refused": (
        "Mautic no longer accepts the authorisation.",
        "Authorise again on the Connection page; an authorisation that rests for 14 days is lost.",
    ),
}

CONTENT: dict[str, Cause] = {
    "refused": ("Mautic refused the record.", "Correct the value in the store, or leave the field out of the mapping."),
    "not_found": ("Mautic has no such entry.", "It was deleted or merged in Mautic; sync the record again."),
    "not_unique": (
        "Mautic already has this value in another contact.",
        "Merge the contacts in Mautic: run bin/console mautic:contacts:deduplicate.",
    ),
}

_RIGHTS = {
    "contacts": "contacts: view, create and edit, own and others",
    "notes": "notes (in Mautic up to 7.1 this needs the role Administrator)",
    "segments": "segments: view own and others",
    "emails": "emails: view own and others",
    "fields": "custom fields: full",
    "tags": "tags: view and create",
    "users": "users: view",
    "stats": "reports: view",
}


def right(path: str) -> Cause:
    """Return what to say to a 403 on a path below /api/: which right the role lacks (346-350, dossier 2.6, M26)."""
    parts = [part for part in path.split("/") if part]
    area = "notes" if "notes" in parts else (parts[0] if parts else "")
    if area == "contacts" and parts[-1] == "send":
        area = "emails"
    wanted = _RIGHTS.get(area, area or "the API")
    return (
        f"The Mautic account lacks a right it needs for {area or 'this'}.",
        f"Give its role the right for {wanted}.",
    )
