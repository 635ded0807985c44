"""The token endpoint of OAuth2 (mautic:007-014)."""

from __future__ import annotations

from integration.sandbox.mautic.context import MauticContext


def register(context: MauticContext) -> None:
    """Add the token endpoint."""
    for method in ("POST", "GET"):
        context.route(method, "/oauth/v2/token", context.authentication.token)
