"""Who may see what: signed-in users, roles, and connectors of the own organisation only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import abort, current_app, g, request, session as cookie
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role, User
from integration.operations import audit
from integration.operations.identity import sessions
from integration.url_filters import id_of
from integration.web.frame import live
from integration.web.frame.services import services

P = ParamSpec("P")
R = TypeVar("R")
_PUBLIC = "open_to_all"
#: Made once: nearly every page asks.
_CONNECTOR = select(Connector).where(Connector.id == bindparam("connector_id"))
_EVERY = select(Connector).order_by(Connector.name, Connector.id)
_OWN = _EVERY.where(Connector.organisation_id == bindparam("organisation_id"))

login = LoginManager()
login.login_view = "auth.sign_in"
login.login_message = None


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]  # flask-login ships no types
    """The user of a request.

    The cookie also carries `session_key`, so that a changed key ends all sessions of the user, and the session's own
    token, so that one can be ended.
    """

    id: int
    organisation_id: int
    email: str
    name: str
    role: Role
    session_key: str
    session_token: str

    def get_id(self) -> str:
        """Return what the session cookie names the user by."""
        return f"{self.id}.{self.session_key}.{self.session_token}"

    def may(self, role: Role | str) -> bool:
        """Return whether the user's role reaches the given one."""
        return self.role.rank >= Role(role).rank


def signed_in(user: User, session_token: str) -> SignedIn:
    """Return the user of a row and a session."""
    role, key = Role(user.role), user.session_key
    return SignedIn(user.id, user.organisation_id, user.email, user.name, role, key, session_token)


def load_user(cookie_id: str) -> SignedIn | None:
    """Return the user of a session, None when it was ended or the user disabled."""
    number, _, rest = cookie_id.partition(".")
    key, _, token = rest.partition(".")
    user_id = id_of(number)
    if user_id is None:
        return None
    with services().db.read() as session:
        found = sessions.find(session, services().clock.now(), user_id, token)
    if found is None:
        return None
    user, open_ = found
    if user.disabled_at or user.session_key != key:
        return None
    sessions.note(services(), open_)
    return signed_in(user, token)


login.user_loader(load_user)


def me() -> SignedIn:
    """Return the signed-in user; only for views that need one."""
    return cast(SignedIn, current_user._get_current_object())


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view be used without signing in; every other view needs a user."""
    setattr(view, _PUBLIC, True)
    return view


def needs(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be used from a role upward; others get the 403 page."""

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not current_user.is_authenticated:
                return cast(R, login.unauthorized())
            if not me().may(role):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return wrap


def require_sign_in() -> Any:
    """Send visitors without a session to the sign-in page, unless the view is public (run before each request)."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    if current_user.is_authenticated or getattr(current_app.view_functions[request.endpoint], _PUBLIC, False):
        return None
    return login.unauthorized()


def connector_or_404(session: Session, connector_id: int) -> Connector:
    """Return a connector that the user may see and make it the page's; 404 for a stranger's as for an unknown one."""
    connector = _seen(session, connector_id)
    if connector is None:
        abort(404)
    g.connector = connector
    cookie["connector_id"] = connector_id
    return connector


def _seen(session: Session, connector_id: int) -> Connector | None:
    if request.method == "GET" and not live.is_part():
        # The frame of the page names them all.
        return next((each for each in own_connectors(session) if each.id == connector_id), None)
    connector = session.scalar(_CONNECTOR, {"connector_id": connector_id})
    return connector if connector is not None and sees(connector) else None


def connector_view(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Give a view of `connector_id` the connector itself, as `connector`; 404 where the user may not see it."""

    @wraps(view)
    def seen(connector_id: int, **rest: Any) -> ResponseReturnValue:
        with services().db.read() as session:
            connector = connector_or_404(session, connector_id)
        return view(connector, **rest)

    return seen


def row_view(
    model: type[Any], parameter: str
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Give a view of `connector_id` and a row's id the connector and the row itself, in this order.

    `model` has a `connector_id`, `parameter` is the name of the row's id in the address. 404 where the user may not
    see the connector, for an unknown row and for another connector's.
    """

    def wrap(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def seen(connector_id: int, **rest: Any) -> ResponseReturnValue:
            with services().db.read() as session:
                connector = connector_or_404(session, connector_id)
                row = session.get(model, rest.pop(parameter))
            if row is None or row.connector_id != connector_id:
                abort(404)
            return view(connector, row, **rest)

        return seen

    return wrap


def sees(connector: Connector) -> bool:
    """Return whether the user's organisation owns the connector; a super admin sees all."""
    return me().may(Role.SUPER) or connector.organisation_id == me().organisation_id


def own_connectors(session: Session) -> list[Connector]:
    """Return the connectors that the user may see, by name; a page that only shows asks for them once."""
    if request.method != "GET":
        return _own_connectors(session)
    if "own_connectors" not in g:
        g.own_connectors = _own_connectors(session)
    return list(g.own_connectors)


def _own_connectors(session: Session) -> list[Connector]:
    if me().may(Role.SUPER):
        return list(session.scalars(_EVERY))
    return list(session.scalars(_OWN, {"organisation_id": me().organisation_id}))


def record(
    session: Session,
    action: AuditAction,
    entity: str,
    diff: Mapping[str, Any] | None = None,
    connector: Connector | None = None,
) -> None:
    """Write the signed-in user's act to the audit log, in the caller's transaction."""
    audit.record(
        session,
        clock_now=services().clock.now(),
        organisation_id=connector.organisation_id if connector else me().organisation_id,
        connector_id=connector.id if connector else None,
        actor=me().email,
        ip=request.remote_addr or "",
        action=action,
        entity=entity,
        diff=dict(diff or {}),
    )
