"""Refusals in a service's own words, each with its verdict and, for a store's, the mark of the table that shows it."""

from __future__ import annotations

from integration.errors import AuthRejected, NotSetUp, ServerFault
from tests.http.verdicts import MAUTIC, STORE, Case, plain, told
from tests.operations.diagnostics.signatures import Said, recorded, wordpress

REFUSED = "woocommerce_rest_authentication_error"
MISSING = "woocommerce_rest_authentication_missing_parameter"


def key(name: str, said: Said, code: str, mark: str) -> Case:
    """Return a case that the connection test meets when it uses the key."""
    return Case(name, said, AuthRejected, code, mark, STORE, behind_index=True)


def error(status: int, kind: str, message: str = "x") -> Said:
    """Return an error as Mautic's kernel words it (mautic:001)."""
    return told(status, {"errors": [{"message": message, "code": status, "type": kind}]})


def signing_in(code: str, said: Said, method: str = "basic") -> Case:
    kind = NotSetUp if code in ("api_disabled", "basic_disabled", "header_lost") else AuthRejected
    return Case(code, said, kind, code, "", MAUTIC, method=method)  # type: ignore[arg-type]  # a Method


KEYS = (
    key("woo-168", recorded("store/168"), "wrong_secret", "secret"),
    key("woo-169", recorded("store/169"), "wrong_key", "key"),
    key("woo-171", recorded("store/171"), "wrong_key", "nobody"),
    key("woo-181", recorded("store/181"), "bad_signature", "signature"),
    key("woo-177", recorded("store/177"), "clock", "timestamp"),
    key("woo-179", recorded("store/179"), "nonce", "nonce"),
    key("woo-182", recorded("store/182"), "read_only_key", "write"),
    key("write-only", wordpress(401, REFUSED, "The key does not have read permissions."), "write_only_key", "read"),
    key("translated", wordpress(401, REFUSED, "Der Schlüssel ist gesperrt."), "key_refused", "other words"),
    key("oauth", wordpress(401, MISSING, "Missing oauth_nonce"), "oauth_incomplete", "parameter"),
    key("no-rights", wordpress(403, "woocommerce_rest_cannot_view", "Sorry."), "no_rights", "rights"),
)
API = (
    Case("no-route", wordpress(404, "rest_no_route", "x"), NotSetUp, "no_woocommerce", "no route", STORE, True),
    Case("woo-439", recorded("store/439"), NotSetUp, "rest_disabled", "code", STORE),
    Case("closed-403", wordpress(403, "rest_forbidden", "Closed."), NotSetUp, "rest_disabled", "code", STORE),
    Case("closed-for-keys", wordpress(401, "rest_login_required", "x"), NotSetUp, "rest_disabled", "code", STORE, True),
    Case("401-empty", Said(401), NotSetUp, "rest_disabled", "no code", STORE),
    Case("401-text", plain(401, "No."), NotSetUp, "rest_disabled", "no code", STORE),
    Case("401-json", told(401, {"message": "No."}), NotSetUp, "rest_disabled", "no code", STORE),
    Case("own-500", wordpress(500, "boom", "Out of tea."), ServerFault, "server_fault", "own words", STORE),
)
SIGNING_IN = (
    signing_in("api_disabled", error(403, "api_disabled")),
    signing_in("basic_disabled", error(403, "access_denied")),
    signing_in("header_lost", error(401, "access_denied", "API authorization denied.")),
    signing_in("wrong_credentials", error(401, "access_denied")),
    signing_in("invalid_client", error(400, "invalid_client"), "client_credentials"),
    signing_in("invalid_request", error(400, "invalid_request"), "client_credentials"),
    signing_in("unauthorized_client", error(400, "unauthorized_client"), "client_credentials"),
    signing_in("token_refused", error(401, "invalid_grant"), "client_credentials"),
    signing_in("grant_refused", error(400, "invalid_grant"), "client_credentials"),
)
REFUSALS = (*KEYS, *API, *SIGNING_IN)
