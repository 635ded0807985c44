"""Forms, sessions and headers that keep strangers out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from integration.config import Deployment

#: The largest body taken: a webhook with an order of several hundred lines has less than 1 MB.
LARGEST_BODY = 5 * 1024 * 1024
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action {targets}; frame-ancestors {frames}; base-uri 'none'"
)
_NOBODY = "'none'"


def policy(frames: Iterable[str] = (), targets: Iterable[str] = ()) -> str:
    """Return what a page may do: be framed by pages of some origins, and lead on to others after its forms."""
    return _POLICY.format(targets=" ".join(("'self'", *targets)), frames=" ".join(frames) or _NOBODY)


POLICY = policy()
csrf = CSRFProtect()
#: A clock that is set back by less is of no consequence.
_STEP_S = 60.0
_ahead = time.time() - time.monotonic()


def remote_network() -> str:
    """Return whom calls are counted by: the address, of IPv6 the network, for one caller has many addresses there."""
    address = get_remote_address()
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


limiter = Limiter(remote_network, storage_uri="memory://", headers_enabled=True)


def settings(deployment: Deployment) -> dict[str, object]:
    """Return Flask's settings for a deployment."""
    secure = deployment.base_url.startswith("https://")
    return {
        "SECRET_KEY": deployment.secret_key,
        "SESSION_COOKIE_NAME": "woo_mautic",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=14),
        "PREFERRED_URL_SCHEME": "https" if secure else "http",
        "MAX_CONTENT_LENGTH": LARGEST_BODY,
        "WTF_CSRF_TIME_LIMIT": None,
        "RATELIMIT_ENABLED": deployment.ratelimit,
    }


def init_app(app: Flask, deployment: Deployment) -> None:
    """Protect every form, count sign-in attempts, set the headers, and believe the proxies that are ours."""
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(forget_calls_of_the_future)
    app.after_request(set_headers)
    if deployment.proxies:
        count = deployment.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # Flask's documented way


def set_headers(response: Response) -> Response:
    """Give every answer the headers that tell browsers what this site does."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if f"frame-ancestors {_NOBODY}" in response.headers["Content-Security-Policy"]:
        # It knows no list of origins, and some browsers would obey it before the policy.
        response.headers.setdefault("X-Frame-Options", "DENY")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def forget_calls_of_the_future() -> None:
    """Count calls anew when the clock was set back: who had to wait a minute would have to wait for the old time."""
    global _ahead
    before, _ahead = _ahead, time.time() - time.monotonic()
    if _ahead < before - _STEP_S:
        limiter.reset()


def seconds_to_wait() -> int:
    """Return how long a caller who was refused for too many calls has to wait."""
    limit = limiter.current_limit
    return max(int(limit.reset_at - time.time()), 1) if limit is not None else 60


def safe_next(target: str | None) -> str | None:
    """Return a path of this site to go on to, None for anything that would lead away."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(ord(character) < 32 for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target
