"""Who a machine is: bearer tokens, their scopes, and errors as JSON (G3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from integration.digests import digest
from integration.errors import IntegrationError, NotNow
from integration.models.access import ApiToken
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.operations import audit
from integration.operations.identity import tokens
from integration.url_filters import UrlFilter
from integration.web.frame.access import public
from integration.web.frame.errors import said
from integration.web.frame.security import csrf, limiter
from integration.web.frame.services import services

P = ParamSpec("P")
R = TypeVar("R")
_LIMIT = "600 per minute"
#: Calls with a token that is unknown, from one address.
_GUESSES = "30 per minute; 300 per hour"
ID_MAX = 10**18 - 1


class Refused(Exception):
    """A machine's request cannot be answered; said as JSON with a status."""

    def __init__(
        self, status: int, code: str, sentence: str, hint: str = "", fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.sentence, self.hint = status, code, sentence, hint
        self.fields = dict(fields or {})


NOT_FOUND = Refused(404, "not_found", "There is no such thing, or it belongs to another organisation.")


def needs_scope(
    scope: str, filters: type[UrlFilter] | None = UrlFilter
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a view be used with a token of a scope only; its errors are answered as JSON.

    What the URL asks for beyond `filters` is refused, None takes anything: a machine that is answered to half of a
    question takes the answer for that to the whole.
    """

    def wrap(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            try:
                g.api_token = _token(scope)
                # No database has a larger id, and SQLite fails when asked for one.
                if any(isinstance(value, int) and value > ID_MAX for value in kwargs.values()):
                    raise NOT_FOUND
                _understood(filters)
                return view(*args, **kwargs)
            except Refused as refused:
                return said(refused.status, refused.code, refused.sentence, refused.hint, refused.fields)
            except IntegrationError as error:
                status = 409 if isinstance(error, NotNow) else 400
                return said(status, error.code, error.sentence, error.hint)

        exempt = csrf.exempt(public(guarded))
        unguessed = limiter.shared_limit(_GUESSES, scope="tokens", deduct_when=_is_refused)(exempt)
        limited = limiter.limit(_LIMIT, key_func=_limited_by)(unguessed)
        return cast(Callable[P, ResponseReturnValue], public(limited))

    return wrap


def _understood(filters: type[UrlFilter] | None) -> None:
    wrong = filters.wrong(request.args) if filters else {}
    if filters and wrong:
        names = ", ".join(filters.parameters())
        hint = f"The filters are {names}." if names else "This address takes no filters."
        raise unusable({name: error.sentence for name, error in wrong.items()}, hint)


def unusable(fields: Mapping[str, str], hint: str) -> Refused:
    """Return the refusal (422) of a body or a URL, with a sentence for each field that is wrong."""
    name, sentence = next(iter(fields.items()))
    return Refused(422, name, sentence, hint, fields)


def _limited_by() -> str:
    """Return what calls are counted by: the token's digest, since the limiter logs its keys, else the address."""
    secret = _bearer()
    return f"token:{digest(secret)[:16]}" if secret else f"address:{get_remote_address()}"


def _is_refused(response: Response) -> bool:
    return response.status_code == 401


def _bearer() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _token(scope: str) -> ApiToken:
    secret = _bearer()
    found = tokens.find(services(), secret) if secret else None
    if found is None:
        hint = "Send “Authorization: Bearer …” with a token of the Tokens page."
        raise Refused(401, "token", "The token is missing, unknown, expired or revoked.", hint)
    if scope not in found.scopes:
        raise Refused(403, "scope", f"The token lacks the scope “{scope}”.", "Make one that has it.")
    return found


def token() -> ApiToken:
    """Return the token of the request; only within a view that needs one."""
    return cast(ApiToken, g.api_token)


def connector_of_token(session: Session, connector_id: int) -> Connector:
    """Return a connector of the token's organisation; raises Refused (404) for any other."""
    found = session.get(Connector, connector_id)
    if found is None or found.organisation_id != token().organisation_id:
        raise NOT_FOUND
    return found


def connectors_of_token(session: Session) -> list[Connector]:
    """Return the connectors of the token's organisation by id."""
    query = select(Connector).where(Connector.organisation_id == token().organisation_id)
    return list(session.scalars(query.order_by(Connector.id)))


def record(session: Session, action: AuditAction, entity: str, connector: Connector | None, **told: object) -> None:
    """Write the token's act to the audit log, in the caller's transaction; without a connector it is of all."""
    record_diff(session, action, entity, connector, {name: [None, value] for name, value in told.items()})


def record_diff(
    session: Session, action: AuditAction, entity: str, connector: Connector | None, diff: Mapping[str, object]
) -> None:
    """Write the token's act with what it has changed, {name: [before, after]}, as `record` does."""
    audit.record(
        session,
        clock_now=services().clock.now(),
        organisation_id=token().organisation_id,
        connector_id=connector.id if connector else None,
        actor=f"API: {token().name}",
        ip=request.remote_addr or "",
        action=action,
        entity=entity,
        diff=diff,
    )
