"""The form of the Connection tab: addresses and credentials of both systems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice

from integration.errors import SettingError
from integration.models.connector import Connector
from integration.pipeline.connectors.connectors import PLAIN

METHODS = {
    "client_credentials": "OAuth2 client credentials (recommended)",
    "basic": "Basic: user name and password",
    "authorization_code": "OAuth2 authorization code",
}
#: Secret -> the field with the address it is sent to.
ADDRESS_OF = {
    "store_key": "store_url",
    "store_secret": "store_url",
    "mautic_password": "mautic_url",
    "mautic_client_secret": "mautic_url",
}
_CA = (
    "Only for a certificate that no public authority signed: the path of a PEM file, on this server, with the "
    "authority that signed it."
)
_SECRET = {"autocomplete": "new-password", "spellcheck": "false"}


def _url(example: str) -> dict[str, Any]:
    return {"placeholder": example, "inputmode": "url", "maxlength": 500, "spellcheck": "false"}


class ConnectionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """Both systems of one connector; the secrets come back empty, whatever is stored."""

    name = StringField("Name of this connector", render_kw={"maxlength": 120})
    store_url = StringField(
        "Store address",
        description="As in the browser's address bar when you look at the shop.",
        render_kw=_url("https://shop.example.com"),
    )
    store_key = PasswordField(
        "Consumer key",
        description="Made in WooCommerce: Settings, Advanced, REST API, Add key, with the permission Read/Write.",
        render_kw={**_SECRET, "placeholder": "ck_…"},
    )
    store_secret = PasswordField(
        "Consumer secret", description="Shown once, beside the key.", render_kw={**_SECRET, "placeholder": "cs_…"}
    )
    store_ca = StringField("CA file", description=_CA, render_kw={"maxlength": 500, "spellcheck": "false"})
    mautic_url = StringField(
        "Mautic address",
        description="The address of Mautic's start page.",
        render_kw=_url("https://mautic.example.com"),
    )
    mautic_method = RadioField(
        "How to sign in", choices=[SelectChoice(*each) for each in METHODS.items()], validate_choice=False
    )
    mautic_user = StringField("User name", render_kw={"autocomplete": "off", "maxlength": 254})
    mautic_password = PasswordField("Password", render_kw=_SECRET)
    mautic_client_id = StringField(
        "Client ID",
        description="Made in Mautic: Settings, API Credentials, New, OAuth 2.",
        render_kw={"autocomplete": "off", "maxlength": 254},
    )
    mautic_client_secret = PasswordField("Client secret", render_kw=_SECRET)
    mautic_ca = StringField("CA file", description=_CA, render_kw={"maxlength": 500, "spellcheck": "false"})

    def values(self) -> dict[str, str]:
        """Return what was typed, blanks around it removed; secrets left empty are not in it."""
        typed = {name: str(self[name].data or "").strip() for name in (*PLAIN, *ADDRESS_OF)}
        return {name: value for name, value in typed.items() if value or name in PLAIN}

    def refuse(self, error: SettingError) -> None:
        """Put an error at the field it names."""
        self[error.name].errors = [str(error)]


def check(values: Mapping[str, str], connector: Connector, stored: Mapping[str, str]) -> None:
    """Raise SettingError for what only the server can tell: CA files, and secrets that would go to a new address."""
    for name in ("store_ca", "mautic_ca"):
        if values[name] and not Path(values[name]).is_file():
            raise SettingError(
                name, f"There is no file {values[name]} on this server.", "Correct the path, or leave it empty."
            )
    for secret, address in ADDRESS_OF.items():
        before, after = getattr(connector, address), values[address]
        # A stored secret is never shown, so it must not be sent to an address of the user's choice either.
        if stored.get(secret) and not values.get(secret) and before and origin(before) != origin(after):
            raise SettingError(secret, "The address has changed, so this must be entered again.", "Type or paste it.")


def origin(address: str) -> tuple[str, str]:
    """Return scheme and host of an address; https where no scheme is written."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    return parts.scheme.lower(), parts.netloc.lower()
