"""Who may use what: by route and role."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.conftest import Person, sign_in, text_of

ROLES = ("viewer", "support", "admin", "super")
#: Method and path -> the least role; {id} is a connector of the own organisation.
ROUTES = {
    ("GET", "/connectors"): "viewer",
    ("GET", "/connectors/{id}/"): "viewer",
    ("GET", "/connectors/{id}/connection"): "viewer",
    ("GET", "/password"): "viewer",
    ("GET", "/connectors/{id}/logs"): "support",
    ("GET", "/connectors/{id}/logs/download"): "support",
    ("GET", "/connectors/{id}/webhooks/status"): "support",
    ("POST", "/connectors/{id}/connection/test"): "support",
    ("POST", "/connectors/{id}/connection/try-now"): "support",
    ("GET", "/connectors/{id}/webhooks/remove"): "admin",
    ("GET", "/connectors/{id}/delete"): "admin",
    ("GET", "/connectors/new"): "admin",
    ("POST", "/connectors/new"): "admin",
    ("GET", "/setup"): "admin",
    ("POST", "/setup"): "admin",
    ("POST", "/connectors/{id}/setup/addresses"): "admin",
    ("POST", "/connectors/{id}/setup/store"): "admin",
    ("POST", "/connectors/{id}/setup/mautic"): "admin",
    ("POST", "/connectors/{id}/setup/fields"): "admin",
    ("POST", "/connectors/{id}/connection"): "admin",
    ("POST", "/connectors/{id}/connection/debug"): "admin",
    ("POST", "/connectors/{id}/store-changed"): "admin",
    ("POST", "/connectors/{id}/webhooks/register"): "admin",
    ("POST", "/connectors/{id}/webhooks/remove"): "admin",
    ("GET", "/connectors/{id}/connection/store-key"): "admin",
    ("GET", "/connectors/{id}/connection/store-key/back"): "admin",
    ("GET", "/connectors/{id}/connection/mautic-sign-in"): "admin",
    ("GET", "/oauth/mautic/callback"): "admin",
}
_CASES = [(method, path, role) for (method, path) in ROUTES for role in ROLES]


def _send(person: Person, method: str, path: str):
    return person.get(path) if method == "GET" else person.post(path)


@pytest.mark.parametrize(("method", "path", "role"), _CASES)
def test_a_role_reaches_its_routes_and_no_others(
    app: Flask, connector_id: int, method: str, path: str, role: str
) -> None:
    answer = _send(sign_in(app, role), method, path.format(id=connector_id))
    allowed = ROLES.index(role) >= ROLES.index(ROUTES[method, path])
    assert (answer.status_code == 403) is not allowed
    if not allowed:
        assert "Your role does not allow this." in text_of(answer)


@pytest.mark.parametrize(("method", "path"), list(ROUTES))
def test_visitors_are_sent_to_sign_in(visitor: Person, connector_id: int, method: str, path: str) -> None:
    answer = _send(visitor, method, path.format(id=connector_id))
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")


@pytest.mark.parametrize(("method", "path"), [key for key in ROUTES if "{id}" in key[1]])
def test_strangers_find_nothing(stranger: Person, connector_id: int, method: str, path: str) -> None:
    assert _send(stranger, method, path.format(id=connector_id)).status_code == 404


def test_strangers_see_no_names(stranger: Person, connector_id: int) -> None:
    assert "Sunflower" not in stranger.get("/connectors").text


def test_super_admins_see_all_organisations(super_admin: Person, stranger: Person) -> None:
    stranger.post("/connectors/new", {"name": "Their shop"})
    assert "Their shop" in super_admin.get("/connectors").text


@pytest.mark.parametrize(("role", "shown"), [("viewer", False), ("support", True), ("admin", True)])
def test_the_menu_shows_what_the_role_may_use(app: Flask, connector_id: int, role: str, shown: bool) -> None:
    page = sign_in(app, role).get(f"/connectors/{connector_id}/").text
    assert (f'href="/connectors/{connector_id}/logs"' in page) is shown


#: Machines have tokens instead of sessions; api/, inbound/ and test_organisations.py walk these.
API = {
    f"api.{name}"
    for name in (
        "connectors",
        "field_mapping",
        "set_field_mapping",
        "log",
        "records",
        "run_list",
        "run",
        "lines",
        "start",
        "cancel",
        "pause",
        "resume",
        "payload",
        "dead_letters",
        "replay",
        "erase",
        "receipt",
    )
} | {
    f"inbound.{name}"
    for name in (
        *(f"send_{kind}{short}" for kind in ("contacts", "orders", "carts") for short in ("", "_short")),
        "delivery",
        "cart",
    )
}


def test_every_route_is_public_on_purpose_or_needs_a_user(app: Flask, visitor: Person) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "open_to_all", False)
    }
    assert public == {
        "auth.sign_in",
        "auth.sign_in_post",
        "auth.link",
        "auth.link_post",
        "health.healthz",
        "cart_capture.asked_first",
        "cart_capture.script_of",
        "cart_capture.restored",
        "cart_capture.taken",
        "subscribe.form",
        "subscribe.script_of",
        "subscribe.send",
        "subscribe.send_by_script",
        "subscribe.stamp",
        "subscribe_link.confirm",
        "subscribe_link.confirm_post",
        "hooks.delivery",
        "recovery.link",
        "store_keys.take",
        "health.readyz",
        "invitations.show",
        "invitations.accept",
        "metrics.show",
        "openapi.document",
        *API,
    }
