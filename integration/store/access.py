"""How to get into a store: its address, its key, and how a request is signed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY
from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth1

from integration.errors import ServiceError
from integration.events import Kind
from integration.http.upstream import error_named
from integration.store.asked import NOTHING, Asked

SERVICE = "store"
#: What people paste behind the root: the API's own path and pages of the administration.
_BEHIND_THE_ROOT = re.compile(r"/(?:index\.php|wp-json|wp-admin|wp-login\.php|wc-auth)(?:/.*)?$")


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """Address and key of one store.

    `rest_root` is what discovery found ("https://shop.example/wp-json"), cached by the caller, "" before; `ca` is the
    PEM of the authorities that may have signed the store's certificate beside the public ones. `asked` is what
    the settings look at in records of each kind.
    """

    url: str
    key: str = ""
    secret: str = field(default="", repr=False)
    ca: str | None = None
    rest_root: str = ""
    asked: Mapping[Kind, Asked] = field(default_factory=dict, hash=False)

    def asked_of(self, kind: Kind) -> Asked:
        """Return what the settings look at in records of a kind."""
        return self.asked.get(kind, NOTHING)

    @property
    def secure(self) -> bool:
        """Tell whether the store is asked over https."""
        return urlsplit(self.api).scheme == "https"

    @property
    def api(self) -> str:
        """Return the address of wc/v3 without a slash at the end.

        Raises NotSetUp (plain_permalinks) for a root of the ?rest_route= form, where WooCommerce does not look at
        keys (woo:004, woo:418 to woo:420).
        """
        return f"{self._root}/wc/v3"

    @property
    def storefront(self) -> str:
        """Return the address of the shoppers' API (Store API) without a slash at the end; raises as `api` does."""
        return f"{self._root}/wc/store/v1"

    @property
    def _root(self) -> str:
        root = self.rest_root.strip() or f"{home(self.url)}/wp-json"
        if "rest_route=" in root:
            raise plain_permalinks()
        return root.rstrip("/")


def home(url: str) -> str:
    """Return the store's address without a slash at the end; https where no scheme is given, sub-directory kept."""
    text = url.strip()
    text = text if "://" in text else f"https://{text}"
    parts = urlsplit(text)
    path = _BEHIND_THE_ROOT.sub("", re.sub(r"/{2,}", "/", parts.path)).rstrip("/")
    return urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower(), path, "", ""))


def signature(access: StoreAccess) -> AuthBase:
    """Return what signs one request: basic over https, OAuth 1.0a with HMAC-SHA256 in the query over http.

    Over plain http WooCommerce does not look at basic auth (woo:173).
    """
    if access.secure:
        return HTTPBasicAuth(access.key.encode(), access.secret.encode())
    return OAuth1(
        access.key,
        client_secret=access.secret,
        signature_method=SIGNATURE_HMAC_SHA256,
        signature_type=SIGNATURE_TYPE_QUERY,
    )


def key_params(access: StoreAccess) -> dict[str, Any]:
    """Return the key as query parameters, for servers that drop the Authorization header (woo:175)."""
    return {"consumer_key": access.key, "consumer_secret": access.secret}


def plain_permalinks(status: int | None = None) -> ServiceError:
    """Return the error for a store whose API has no address of its own (woo:413 to woo:422)."""
    return error_named("plain_permalinks", SERVICE, status=status)
