"""The form of the Connection tab: addresses and credentials of both systems."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from integration.errors import SettingError
from integration.models.connector import Connector
from integration.settings.connection import PLAIN, Connection
from integration.web.frame.forms import SettingForm, form_of

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
_SECRET = {"autocomplete": "new-password", "spellcheck": "false"}
_PATH = {"spellcheck": "false"}
_NAME = {"autocomplete": "off"}


def _url(example: str) -> dict[str, str]:
    return {"placeholder": example, "inputmode": "url", "spellcheck": "false"}


_FORM = form_of(
    Connection,
    leave_out=("webhook_secret",),
    fields={
        "mautic_method": RadioField(
            Connection.model_fields["mautic_method"].title,
            choices=[SelectChoice(*each) for each in METHODS.items()],
            validate_choice=False,
        )
    },
    inputs={
        "store_url": _url("https://shop.example.com"),
        "store_key": {**_SECRET, "placeholder": "ck_…"},
        "store_secret": {**_SECRET, "placeholder": "cs_…"},
        "store_ca": _PATH,
        "mautic_url": _url("https://mautic.example.com"),
        "mautic_user": _NAME,
        "mautic_password": _SECRET,
        "mautic_client_id": _NAME,
        "mautic_client_secret": _SECRET,
        "mautic_ca": _PATH,
    },
)


def typed(connector: Connector) -> SettingForm:
    """Return the form as it was typed; secrets left empty mean those that are stored."""
    return _FORM(obj=connector).loaded(_plain(connector))


def stored(connector: Connector) -> SettingForm:
    """Return the form with what is stored, whatever was typed; secrets never come back."""
    return _FORM(formdata=None, obj=connector).loaded(_plain(connector))


def _plain(connector: Connector) -> dict[str, str]:
    return {name: getattr(connector, name) or "" for name in PLAIN}


def values(form: SettingForm) -> dict[str, str]:
    """Return what was typed, blanks around it removed; secrets left empty are not in it."""
    found = {name: str(value or "").strip() for name, value in form.typed().items()}
    return {name: value for name, value in found.items() if value or name in PLAIN}


def check(values: Mapping[str, str], connector: Connector, secrets: Mapping[str, str]) -> None:
    """Raise SettingError for what the model refuses, CA files that are not here, and secrets for a new address."""
    Connection.checked(values)
    for name in ("store_ca", "mautic_ca"):
        if values[name] and not os.path.isfile(values[name]):
            raise SettingError(
                name, f"There is no file {values[name]} on this server.", "Correct the path, or leave it empty."
            )
    for secret, address in ADDRESS_OF.items():
        before, after = getattr(connector, address), values[address]
        # A stored secret is never shown, so it must not be sent to an address of the user's choice either.
        if secrets.get(secret) and not values.get(secret) and before and origin(before) != origin(after):
            raise SettingError(secret, "The address has changed, so this must be entered again.", "Type or paste it.")


def origin(address: str) -> tuple[str, str]:
    """Return scheme and host of an address, https where no scheme is written; the address itself where it is none."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
    except ValueError:
        return "", address
    return parts.scheme.lower(), parts.netloc.lower()
