"""The form of the Connection tab: addresses and credentials of both systems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from flask import request
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice

from integration import certificates
from integration.errors import SettingError
from integration.models.connector import Connector
from integration.pipeline.connectors import connectors as pairs
from integration.settings.connection import AUTHORITIES, PLAIN, Connection
from integration.web.frame.forms import SettingForm, form_over

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
_PEM = {"spellcheck": "false", "rows": 6, "class": "pem", "placeholder": "-----BEGIN CERTIFICATE-----"}
#: A certificate has some thousand bytes, and who has several can paste them.
UPLOAD_MAX_BYTES = certificates.TEXT_MAX_CHARS
_NAME = {"autocomplete": "off"}


def _url(example: str) -> dict[str, str]:
    return {"placeholder": example, "inputmode": "url", "spellcheck": "false"}


def _pem_field(name: str) -> TextAreaField:
    setting = Connection.model_fields[name]
    return TextAreaField(setting.title, description=setting.description, render_kw=_PEM)


_FIELDS = {
    "mautic_method": RadioField(
        Connection.model_fields["mautic_method"].title,
        choices=[SelectChoice(*each) for each in METHODS.items()],
        validate_choice=False,
    ),
    **{name: _pem_field(name) for name in AUTHORITIES},
}
_INPUTS = {
    "store_url": _url("https://shop.example.com"),
    "store_key": {**_SECRET, "placeholder": "ck_…"},
    "store_secret": {**_SECRET, "placeholder": "cs_…"},
    "mautic_url": _url("https://mautic.example.com"),
    "mautic_user": _NAME,
    "mautic_password": _SECRET,
    "mautic_client_id": _NAME,
    "mautic_client_secret": _SECRET,
}


def form_with(*names: str) -> type[SettingForm]:
    """Return the form of some of the connection's fields, in their order."""
    ready = {name: field for name, field in _FIELDS.items() if name in names}
    return form_over(Connection.model_fields.__getitem__, names, inputs=_INPUTS, fields=ready)


FORM = form_with(*(name for name in Connection.model_fields if name != "webhook_secret"))


def typed(connector: Connector, form: type[SettingForm] = FORM) -> SettingForm:
    """Return the form as it was typed; secrets left empty mean those that are stored."""
    return form(obj=connector).loaded(_plain(connector))


def stored(connector: Connector, form: type[SettingForm] = FORM) -> SettingForm:
    """Return the form with what is stored, whatever was typed; secrets never come back."""
    return form(formdata=None, obj=connector).loaded(_plain(connector))


def _plain(connector: Connector) -> dict[str, str]:
    return {name: pairs.in_words(name, getattr(connector, name) or "") for name in PLAIN}


def values(form: SettingForm) -> dict[str, str]:
    """Return what was typed, blanks around it removed; secrets left empty are not in it.

    An uploaded certificate stands for a pasted one. Raises SettingError for a file that cannot be one, and for a
    private key, which does not go back to the browser either.
    """
    for name in [each for each in AUTHORITIES if each in form]:
        form[name].data = _uploaded(name) or str(form[name].data or "").replace("\r\n", "\n")
        _refuse_key(form, name)
    found = {name: str(value or "").strip() for name, value in form.typed().items()}
    return {name: value for name, value in found.items() if value or name in PLAIN}


def _uploaded(name: str) -> str:
    """Return the text of a file that was chosen, "" for none."""
    file = request.files.get(f"{name}_file")
    content = file.read(UPLOAD_MAX_BYTES + 1) if file is not None and file.filename else b""
    if len(content) > UPLOAD_MAX_BYTES:
        raise SettingError(
            name, f"The file is larger than {UPLOAD_MAX_BYTES // 1000} kB.", "Choose the file of the certificate alone."
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        hint = "Turn it into PEM: openssl x509 -inform der -in FILE -out ca.pem"
        raise SettingError(name, "The file is no text, so it is no certificate in PEM form.", hint) from None


def _refuse_key(form: SettingForm, name: str) -> None:
    try:
        if certificates.holds_key(form[name].data):
            certificates.read(form[name].data)
    except certificates.NotUsable as error:
        form[name].data = ""
        raise SettingError(name, error.sentence, error.hint) from None


def check(values: Mapping[str, str], connector: Connector, secrets: Mapping[str, str], now: datetime) -> None:
    """Raise SettingError for what cannot be used, as authorities that are over, and for secrets for a new address."""
    pairs.checked_over(connector, values, now)
    for secret, address in ADDRESS_OF.items():
        before = getattr(connector, address)
        after = values.get(address, before)
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
