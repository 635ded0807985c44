"""Signing in with a password or a one-time link, signing out, here or elsewhere, changing one's password."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session as cookie, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import EmailField, PasswordField

from integration.digests import digest
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.user import User
from integration.operations import audit
from integration.operations.identity import accounts, browsers, sessions
from integration.web.frame.access import SignedIn, me, public, record, signed_in
from integration.web.frame.security import limiter, remote_network, safe_next
from integration.web.frame.services import services
from integration.words import counted

bp = Blueprint("auth", __name__)
_REFUSED = "E-mail address and password do not fit together."
#: Only failures count, so that an office behind one address may sign in as often as it likes.
_PER_ADDRESS = "10 per minute; 60 per hour"
#: For one account from one address.
_PER_USER_HERE = "10 per 15 minutes"
#: For one account from all addresses together, but for those where its user has signed in before: whoever guesses from
#: many places must not shut a person out.
_PER_USER = "100 per hour"


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """E-mail address and password."""

    email = EmailField("E-mail address", render_kw={"autocomplete": "username", "required": True})
    password = PasswordField("Password", render_kw={"autocomplete": "current-password", "required": True})


class PasswordForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """The old password and the new one, twice."""

    current = PasswordField("Current password", render_kw={"autocomplete": "current-password"})
    password = PasswordField(
        "New password",
        description=f"At least {accounts.SHORTEST_PASSWORD} characters. All other sessions of yours end.",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField("New password again", render_kw={"autocomplete": "new-password"})


def _failed(response: Response) -> bool:
    return response.status_code != 302


def _is_gone(response: Response) -> bool:
    return response.status_code == 410


def _typed_address() -> str:
    # The limiter logs its keys, and an address typed wrongly may be a password.
    return f"user:{digest(request.form.get('email', '').strip().casefold())[:16]}"


def _typed_address_here() -> str:
    return f"{remote_network()} {_typed_address()}"


def _is_known_here() -> bool:
    with services().db.read() as session:
        user = accounts.find(session, request.form.get("email", ""))
        return user is not None and sessions.is_known_from(session, user.id, request.remote_addr or "")


@bp.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Show the sign-in form."""
    if current_user.is_authenticated:
        return redirect(url_for("overview.index"))
    return render_template("account/sign_in.html", form=SignInForm(), next=safe_next(request.args.get("next")))


@bp.post("/sign-in")
@limiter.limit(_PER_ADDRESS, deduct_when=_failed)
@limiter.limit(_PER_USER_HERE, key_func=_typed_address_here, deduct_when=_failed)
@limiter.limit(_PER_USER, key_func=_typed_address, deduct_when=_failed, exempt_when=_is_known_here)
@public
def sign_in_post() -> ResponseReturnValue:
    """Sign in; a wrong address and a wrong password are answered alike."""
    form = SignInForm()
    email, password = form.email.data or "", form.password.data or ""
    onward = safe_next(request.form.get("next"))
    with services().db.read() as session:
        user = accounts.authenticate(session, email, password)
        known = user or accounts.find(session, email)
    if user is None:
        _record_failure(email, known)
        return render_template("account/sign_in.html", form=form, next=onward, refused=_REFUSED), 401
    with services().db.write() as session:
        person = _signed_in(session, session.get_one(User, user.id), "password")
    return _enter(person, onward)


def _record_failure(email: str, known: User | None) -> None:
    with services().db.write() as session:
        _record(session, AuditAction.SIGN_IN_FAILED, known, email)


def _record(session: Session, action: AuditAction, user: User | None, email: str, way: str = "password") -> None:
    audit.record(
        session,
        clock_now=services().clock.now(),
        organisation_id=user.organisation_id if user else None,
        connector_id=None,
        actor=email.strip()[:254],
        ip=request.remote_addr or "",
        action=action,
        entity=f"sign-in by {way}",
        diff={},
    )


def _signed_in(session: Session, user: User, way: str) -> SignedIn:
    user.signed_in_at = services().clock.now()
    _record(session, AuditAction.SIGNED_IN, user, user.email, way)
    return signed_in(user, _begin(session, user.id))


def _begin(session: Session, user_id: int) -> str:
    browser = browsers.named(request.user_agent.string)
    return sessions.begin(session, services().clock.now(), user_id, request.remote_addr or "", browser)


def _enter(person: SignedIn, onward: str | None = None) -> ResponseReturnValue:
    # A cookie from before the sign-in must not live on: somebody else may have set it.
    cookie.clear()
    login_user(person)
    cookie.permanent = True
    return redirect(onward or url_for("overview.index"))


@bp.get("/sign-in/link/<token>")
@limiter.limit("60 per hour", deduct_when=_is_gone)
@public
def link(token: str) -> ResponseReturnValue:
    """Show the button of a one-time link: programs that only look at links do not use it up."""
    with services().db.read() as session:
        good = accounts.link_is_good(session, services().clock.now(), token)
    return render_template("account/link.html", good=good, token=token), 200 if good else 410


@bp.post("/sign-in/link/<token>")
@limiter.limit(_PER_ADDRESS, deduct_when=_failed)
@public
def link_post(token: str) -> ResponseReturnValue:
    """Use a one-time link up and sign in."""
    with services().db.write() as session:
        user = accounts.use_link(session, services().clock.now(), token)
        person = _signed_in(session, user, "one-time link") if user is not None else None
    if person is None:
        return render_template("account/link.html", good=False, token=token), 410
    return _enter(person)


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session, on the server too: a copy of its cookie is worth nothing then."""
    with services().db.write() as session:
        sessions.end(session, services().clock.now(), me().session_token)
    logout_user()
    cookie.clear()
    flash("You are signed out.", "ok")
    return redirect(url_for("auth.sign_in"))


@bp.get("/password")
def password() -> ResponseReturnValue:
    """Show the form that changes one's own password, and where one is signed in."""
    return _account(PasswordForm())


@bp.post("/password")
@limiter.limit(_PER_ADDRESS, deduct_when=_failed)
def password_post() -> ResponseReturnValue:
    """Change one's own password; this session goes on, all others end."""
    form = PasswordForm()
    problem = _problem(form)
    if problem is not None:
        field = form[problem.name]
        field.errors = [str(problem)]
        return _account(form), 400
    _set_password(form.password.data or "")
    flash("Your password is changed. All other sessions of yours have ended.", "ok")
    return redirect(url_for("overview.index"))


@bp.post("/sign-out-elsewhere")
def sign_out_elsewhere() -> ResponseReturnValue:
    """End all sessions of one's own but this one, on the server."""
    with services().db.write() as session:
        ended = sessions.end_others(session, services().clock.now(), me().id, me().session_token)
        if ended:
            record(session, AuditAction.USER_CHANGED, me().email, {"sessions": [ended + 1, 1]})
    said = f"{counted(ended, 'other browser is', 'other browsers are')} signed out." if ended else ""
    flash(*((said, "ok") if ended else ("You are signed in nowhere else.", "warn")))
    return redirect(url_for("auth.password"))


def _account(form: PasswordForm) -> str:
    with services().db.read() as session:
        open_ = sessions.open_of(session, services().clock.now(), me().id)
    shown = [(each, sessions.is_of(each, me().session_token)) for each in open_]
    return render_template("account/password.html", form=form, has_password=_has_password(), sessions=shown)


def _has_password() -> bool:
    with services().db.read() as session:
        return bool(session.get_one(User, me().id).password_hash)


def _problem(form: PasswordForm) -> SettingError | None:
    with services().db.read() as session:
        fits = accounts.authenticate(session, me().email, form.current.data or "") is not None
    if _has_password() and not fits:
        return SettingError("current", "This is not your current password.", "Type it again.")
    if form.password.data != form.again.data:
        return SettingError("again", "The two new passwords differ.", "Type them again.")
    try:
        accounts.check_password(form.password.data or "")
    except SettingError as error:
        return error
    return None


def _set_password(new: str) -> None:
    def changed(session: Session, user: User) -> None:
        record(session, AuditAction.USER_CHANGED, user.email, {"password": ["changed", "changed"]})

    accounts.set_password(services(), me().id, new, audit=changed)
    with services().db.write() as session:
        person = signed_in(session.get_one(User, me().id), _begin(session, me().id))
    login_user(person)
