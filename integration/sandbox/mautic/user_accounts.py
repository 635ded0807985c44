"""Users, roles and rights, and the one OAuth2 client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integration.sandbox.mautic.answers import NO_ACCESS, Refused
from integration.sandbox.mautic.php_format import iso
from integration.sandbox.mautic.state import State

READ_ONLY = {"lead:leads": ["viewown", "viewother"], "api:access": ["full"]}
EDITING = {
    "lead:leads": ["viewown", "viewother", "editown", "editother", "create"],
    "lead:lists": ["viewown", "viewother"],
    "email:emails": ["viewown", "viewother"],
    "tagManager:tagManager": ["view", "edit", "create"],
    "api:access": ["full"],
}


@dataclass
class Credentials:
    """What a caller needs; `token_lifetime` is in seconds. The viewer may only read contacts, the editor not notes."""

    user: str = "admin"
    password: str = "mautic-sandbox"
    client_id: str = "1_2vxf5hpria4gosg0o48koc04co88woksggk44wcs0k8wgksgwc"
    client_name: str = "Sandbox client"
    client_secret: str = "4lq1u4bz6f8k0s4wgw0gk4s8owkow4k8c0s4c88ok8ssw40k0w"
    token_lifetime: int = 3600
    viewer: str = "viewer"
    viewer_password: str = "viewer-sandbox"
    editor: str = "editor"
    editor_password: str = "editor-sandbox"


@dataclass(frozen=True)
class Caller:
    """Who makes a request: a user, or an OAuth2 client, which has its creator's rights and no user id."""

    id: int | None
    name: str
    admin: bool
    rights: dict[str, list[str]]

    def may(self, area: str, action: str) -> bool:
        """Tell whether the role allows view, edit, create or delete in an area such as lead:leads."""
        granted = self.rights.get(area, [])
        return self.admin or "full" in granted or any(right.startswith(action) for right in granted)

    def need(self, area: str, action: str) -> None:
        """Raise 403 unless allowed (mautic:346-350)."""
        if not self.may(area, action):
            raise Refused(403, NO_ACCESS)


def first_users(state: State, credentials: Credentials) -> None:
    """Add the three users of `credentials` with their roles to an empty Mautic."""
    people = [
        ("Administrator", True, {}, credentials.user, credentials.password, "Admin", "User"),
        ("Viewer", False, READ_ONLY, credentials.viewer, credentials.viewer_password, "Vera", "Viewer"),
        ("Editor", False, EDITING, credentials.editor, credentials.editor_password, "Edgar", "Editor"),
    ]
    for name, admin, rights, username, password, first, last in people:
        role = add_role(state, {"name": name, "description": "Full system access" if admin else name}, rights, admin)
        about = {"username": username, "firstName": first, "lastName": last, "email": f"{username}@mautic.test"}
        add_user(state, about, password, role["id"])


def add_role(state: State, about: dict[str, Any], rights: Any, admin: bool = False) -> dict[str, Any]:
    """Add a role; `rights` maps an area to actions (mautic:344)."""
    role: dict[str, Any] = {
        "isPublished": True,
        "dateAdded": iso(state.now()),
        "dateModified": None,
        "createdBy": 1,
        "createdByUser": "Admin User",
        "modifiedBy": None,
        "modifiedByUser": None,
        "id": state.next_id("roles"),
        "name": about.get("name"),
        "description": about.get("description"),
        "isAdmin": admin,
        "rawPermissions": rights,
    }
    state.roles[role["id"]] = role
    state.changes += 1
    return role


def add_user(state: State, about: dict[str, Any], password: str, role_id: int) -> dict[str, Any]:
    """Add a user; the password is kept as it is, this is a sandbox."""
    user: dict[str, Any] = {
        "isPublished": True,
        "dateAdded": iso(state.now()),
        "dateModified": None,
        "createdBy": 1,
        "createdByUser": "Admin User",
        "modifiedBy": None,
        "modifiedByUser": None,
        "id": state.next_id("users"),
        **{name: about.get(name) for name in ("username", "firstName", "lastName", "email", "position")},
        "password": password,
        "role": role_id,
        "timezone": None,
        "locale": None,
        "lastLogin": None,
        "lastActive": None,
        "signature": None,
    }
    state.users[user["id"]] = user
    state.changes += 1
    return user


def caller_of(state: State, user: dict[str, Any]) -> Caller:
    """Return a user with the rights of the role."""
    role = state.roles[user["role"]]
    return Caller(user["id"], f"{user['firstName']} {user['lastName']}", role["isAdmin"], role["rawPermissions"])
