"""How the two systems of a connector are reached: addresses, ways to sign in, secrets (P1 to P6)."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from integration import certificates
from integration.field_errors import Unusable
from integration.settings.kinds import Secret, Settings, Text

URL_MAX_CHARS = 500
URL_SHOWN_MAX_CHARS = 100
#: Names of servers within a network may have an underscore.
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_CA_TITLE = "Certificate of the authority"
_CA = (
    "Only for a server whose certificate no public authority signed: paste the authority that did, in PEM form; "
    "several go below each other. Empty the field to take it away."
)


def _named(name: str) -> str:
    if not name:
        raise Unusable("The connector needs a name.", "Write one, such as the shop's.")
    return name


def _address(text: str) -> str:
    """Return an address with its scheme, https where none was typed, and without a slash at the end."""
    typed = "://" in text
    address = text if typed or not text else f"https://{text}"
    if address and not (len(address) <= URL_MAX_CHARS and _fits(address, named=typed)):
        raise Unusable(
            f"“{address[:URL_SHOWN_MAX_CHARS]}” is not a web address.",
            "Write it as in the browser's address bar, without user name.",
        )
    return address.rstrip("/")


def _fits(address: str, *, named: bool) -> bool:
    """Tell whether an address can be called; a host of one word needs its scheme `named`, as in http://mautic."""
    if not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        ascii_host = host if ":" in host else host.encode("idna").decode()
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.username or port == 0:
        return False
    return _is_ip(ascii_host) or bool(_HOST.fullmatch(ascii_host)) and (named or "." in host or host == "localhost")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _authority(value: Any) -> Any:
    """Return the certificates of a pasted text without what stood around them."""
    if not isinstance(value, str):
        return value
    try:
        return certificates.pem_of(certificates.read(value))
    except certificates.NotUsable as error:
        raise Unusable(error.sentence, error.hint) from None


#: The PEM of the authorities to trust beside the public ones, "" for none.
Authority = Annotated[str, BeforeValidator(_authority)]
Address = Annotated[Text, AfterValidator(_address)]


class Connection(Settings):
    """Both systems of one connector; titles and descriptions are what the Connection tab says."""

    name: Annotated[Text, AfterValidator(_named)] = Field(default="", max_length=120, title="Name of this connector")
    store_url: Address = Field(
        default="",
        max_length=URL_MAX_CHARS,
        title="Store address",
        description="As in the browser's address bar when you look at the shop.",
    )
    store_key: Secret = Field(
        default=SecretStr(""),
        title="Consumer key",
        description="Made in WooCommerce: Settings, Advanced, REST API, Add key, with the permission Read/Write.",
    )
    store_secret: Secret = Field(
        default=SecretStr(""), title="Consumer secret", description="Shown once, beside the key."
    )
    store_ca: Authority = Field(default="", title=_CA_TITLE, description=_CA)
    mautic_url: Address = Field(
        default="", max_length=URL_MAX_CHARS, title="Mautic address", description="The address of Mautic's start page."
    )
    mautic_method: Literal["client_credentials", "basic", "authorization_code"] = Field(
        default="client_credentials", title="How to sign in"
    )
    mautic_user: Text = Field(default="", max_length=254, title="User name")
    mautic_password: Secret = Field(default=SecretStr(""), title="Password")
    mautic_client_id: Text = Field(
        default="",
        max_length=254,
        title="Client ID",
        description="Made in Mautic: Settings, API Credentials, New, OAuth 2.",
    )
    mautic_client_secret: Secret = Field(default=SecretStr(""), title="Client secret")
    mautic_ca: Authority = Field(default="", title=_CA_TITLE, description=_CA)
    webhook_secret: Secret = Field(default=SecretStr(""), title="Webhook secret")

    def plain(self, name: str) -> str:
        """Return a value by its name, a secret as it is sent."""
        value = getattr(self, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


SECRETS = tuple(name for name, field in Connection.model_fields.items() if field.annotation is SecretStr)
AUTHORITIES = ("store_ca", "mautic_ca")
PLAIN = tuple(name for name in Connection.model_fields if name not in SECRETS)
