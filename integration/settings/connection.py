"""How the two systems of a connector are reached: addresses, ways to sign in, secrets (P1 to P6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError

from integration.field_errors import Unusable, titles, told
from integration.settings.kinds import Secret, Settings, Text

URL_MAX_CHARS = 500
_SHOWN_MAX_CHARS = 80
_CA = (
    "Only for a certificate that no public authority signed: the path of a PEM file, on this server, with the "
    "authority that signed it."
)


def _named(name: str) -> str:
    if not name:
        raise Unusable("The connector needs a name.", "Write one, such as the shop's.")
    return name


def _address(text: str) -> str:
    """Return an address with its scheme, https where none was typed, and without a slash at the end."""
    address = text if "://" in text or not text else f"https://{text}"
    try:
        parts = urlsplit(address)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if address and (not fine or parts.username or len(address) > URL_MAX_CHARS):
        raise Unusable(
            f"“{address[:_SHOWN_MAX_CHARS]}” is not a web address.",
            "Write it as in the browser's address bar, without user name.",
        )
    return address.rstrip("/")


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
    store_ca: Text = Field(default="", max_length=500, title="CA file", description=_CA)
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
    mautic_ca: Text = Field(default="", max_length=500, title="CA file", description=_CA)
    webhook_secret: Secret = Field(default=SecretStr(""), title="Webhook secret")

    def plain(self, name: str) -> str:
        """Return a value by its name, a secret as it is sent."""
        value = getattr(self, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Return the connection of values by name; raises SettingError naming those that cannot be used."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise told(error, cls, titles(cls)) from None


SECRETS = tuple(name for name, field in Connection.model_fields.items() if field.annotation is SecretStr)
PLAIN = tuple(name for name in Connection.model_fields if name not in SECRETS)
