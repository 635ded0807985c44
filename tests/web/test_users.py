"""Users, invitations and tokens: who may do what to whom, and what is shown once."""

from __future__ import annotations

import re
from collections.abc import Callable

from werkzeug.test import TestResponse

from integration.clock import SetClock
from integration.models import ApiToken, AuditEntry, Invitation, Role, User
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of

VIEWER, SUPPORT, ADMIN, SUPER, STRANGER = 1, 2, 3, 4, 5


def user(services: Services, number: int) -> User:
    with services.db.read() as session:
        return session.get_one(User, number)


def test_an_administrator_changes_roles_up_to_the_own(
    admin: Person, services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    admin.post(f"/users/{VIEWER}/role", {"role": "support"})
    assert user(services, VIEWER).role == "support"
    assert audit_of("USER_CHANGED")[0].diff == {"role": ["viewer", "support"]}
    for number, role in ((VIEWER, "super"), (SUPER, "viewer")):
        text = text_of(admin.post(f"/users/{number}/role", {"role": role}, follow_redirects=True))
        assert "above your own" in text
    assert "is no role" in text_of(admin.post(f"/users/{VIEWER}/role", {"role": "king"}, follow_redirects=True))


def test_the_last_administrator_stays(super_admin: Person, services: Services) -> None:
    super_admin.post(f"/users/{ADMIN}/disable")
    for path, values in ((f"/users/{SUPER}/role", {"role": "viewer"}), (f"/users/{SUPER}/disable", {})):
        assert "last administrator" in text_of(super_admin.post(path, values, follow_redirects=True))
    assert user(services, SUPER).role == Role.SUPER


def test_nobody_takes_the_own_access_away(admin: Person, super_admin: Person, services: Services) -> None:
    cases = ((admin, ADMIN, "admin", "viewer"), (super_admin, SUPER, "super", "admin"))
    for person, number, role, lower in cases:
        page = person.get("/users").text
        assert f"/users/{number}/disable" not in page
        assert f"/users/{number}/role" not in page
        assert f"/users/{VIEWER}/disable" in page
        for path, values in (("role", {"role": lower}), ("disable", {})):
            text = text_of(person.post(f"/users/{number}/{path}", values, follow_redirects=True))
            assert "own access away" in text or "last super admin" in text
        assert (user(services, number).disabled_at, user(services, number).role) == (None, role)


def test_an_administrator_lets_in_nobody_above(admin: Person, services: Services, clock: SetClock) -> None:
    with services.db.write() as session:
        session.get_one(User, SUPER).disabled_at = clock.now()
    assert "above your own" in text_of(admin.post(f"/users/{SUPER}/enable", follow_redirects=True))
    assert user(services, SUPER).disabled_at is not None


def test_who_is_shut_out_is_out_at_once(admin: Person, viewer: Person, services: Services) -> None:
    assert viewer.get("/connectors").status_code == 200
    admin.post(f"/users/{VIEWER}/disable")
    assert viewer.get("/connectors").status_code == 302
    admin.post(f"/users/{VIEWER}/enable")
    assert user(services, VIEWER).disabled_at is None


def invited(admin: Person, email: str = "new@example.com", role: str = "support") -> str:
    page = admin.post("/users/invite", {"email": email, "role": role}).text
    found = re.search(r"/invitation/([\w-]+)<", page)
    assert found is not None
    return f"/invitation/{found[1]}"


GOOD = {"name": "New Person", "password": "a long enough one", "again": "a long enough one"}


def test_an_invitation_is_accepted_once(admin: Person, visitor: Person, services: Services) -> None:
    link = invited(admin)
    assert "new@example.com" in text_of(visitor.get(link))
    joined = post(visitor, link, GOOD)
    assert joined.status_code == 302
    with services.db.read() as session:
        made = session.query(User).filter_by(email="new@example.com").one()
    assert (made.organisation_id, made.role, made.name) == (1, "support", "New Person")
    assert "has been used already" in text_of(visitor.get(link))
    assert post(visitor, link, GOOD).status_code == 400


def post(visitor: Person, link: str, values: dict[str, str]) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/sign-in").text)
    assert token is not None
    return visitor.client.post(link, data={"csrf_token": token[1], **values})


def test_bad_passwords_are_said_at_the_invitation(admin: Person, visitor: Person) -> None:
    link = invited(admin)
    for values, sentence in (
        ({**GOOD, "again": "another one"}, "The two passwords are not the same."),
        ({**GOOD, "password": "short", "again": "short"}, "at least 10 characters"),
    ):
        answer = post(visitor, link, values)
        assert (answer.status_code, sentence in text_of(answer)) == (400, True)  # type: ignore[attr-defined,arg-type]  # a response


def test_withdrawn_expired_and_unknown_links_say_so(
    admin: Person, visitor: Person, services: Services, clock: SetClock
) -> None:
    link = invited(admin)
    with services.db.read() as session:
        number = session.query(Invitation.id).scalar()
    admin.post(f"/users/invitations/{number}/withdraw")
    assert "was withdrawn" in text_of(visitor.get(link))
    other = invited(admin, "other@example.com")
    clock.advance(days=8)
    assert "more than a week old" in text_of(visitor.get(other))
    assert "There is no such invitation" in text_of(visitor.get("/invitation/x"))


def test_bad_invitations_are_refused_with_the_reason(admin: Person) -> None:
    for email, role, sentence in (
        ("no address", "viewer", "is not an e-mail address"),
        ("viewer@example.com", "viewer", "There is a user with the address"),
        ("x@example.com", "super", "above your own"),
    ):
        answer = admin.post("/users/invite", {"email": email, "role": role})
        assert (answer.status_code, sentence in text_of(answer)) == (400, True)


def test_viewers_support_and_strangers_change_nobody(
    viewer: Person, support: Person, stranger: Person, services: Services
) -> None:
    for person in (viewer, support):
        assert person.get("/users").status_code == 403
        assert person.post(f"/users/{VIEWER}/role", {"role": "admin"}).status_code == 403
    for path in ("role", "disable", "enable", "link"):
        assert stranger.post(f"/users/{VIEWER}/{path}", {"role": "admin"}).status_code == 404
    assert "viewer@example.com" not in stranger.get("/users").text
    assert user(services, VIEWER).role == "viewer"


def test_a_token_is_shown_once_and_revoked_for_good(
    admin: Person, stranger: Person, services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    page = admin.post("/tokens", {"name": "Grafana", "scopes": ["logs"], "days": "30"})
    secret = re.search(r">(wm_[\w-]+)<", page.text)
    assert secret is not None
    assert secret[1] not in admin.get("/tokens").text
    with services.db.read() as session:
        row = session.query(ApiToken).one()
    assert secret[1] not in (row.token_hash, row.start)
    assert stranger.get(f"/tokens/{row.id}/revoke").status_code == 404
    assert stranger.post(f"/tokens/{row.id}/revoke").status_code == 404
    assert "refused from now on" in text_of(admin.get(f"/tokens/{row.id}/revoke"))
    assert "is revoked" in text_of(admin.post(f"/tokens/{row.id}/revoke", follow_redirects=True))
    assert len(audit_of("TOKEN_CHANGED")) == 2


def test_two_tokens_of_one_name_are_refused(admin: Person, services: Services, clock: SetClock) -> None:
    def made(name: str, days: str = "") -> int:
        return admin.post("/tokens", {"name": name, "scopes": ["logs"], "days": days}).status_code

    assert made("Grafana") == 200
    refused = admin.post("/tokens", {"name": " grafana ", "scopes": ["runs"]})
    assert (refused.status_code, "There is a token “grafana” already." in text_of(refused)) == (400, True)
    with services.db.read() as session:
        row = session.query(ApiToken).one()
    admin.post(f"/tokens/{row.id}/revoke")
    assert [made("Grafana", "1"), made("GRAFANA")] == [200, 400]
    clock.advance(days=2)
    assert made("Grafana") == 200


def test_a_token_without_name_scope_or_sense_is_refused(admin: Person, support: Person) -> None:
    for values, sentence in (
        ({"name": "", "scopes": ["logs"]}, "needs a name"),
        ({"name": "x"}, "at least one scope"),
        ({"name": "x", "scopes": ["all"]}, "at least one scope"),
        ({"name": "x", "scopes": ["logs"], "days": "soon"}, "is no number of days"),
        ({"name": "x", "scopes": ["logs"], "days": "0"}, "is no number of days"),
    ):
        answer = admin.post("/tokens", values)
        assert (answer.status_code, sentence in text_of(answer)) == (400, True)
    assert support.get("/tokens").status_code == 403
