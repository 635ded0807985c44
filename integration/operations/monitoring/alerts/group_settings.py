"""What a group of recipients is told, and where: the values of its form, checked."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, Field, ValidationInfo

from integration.field_errors import Unusable
from integration.field_text import one_line
from integration.http.errors import PrivateAddress, check_peer
from integration.operations.monitoring.alerts.finding import CAUSES
from integration.settings.kinds import Settings

ADDRESSES_MAX = 50
NAME_MAX_CHARS = 120
URL_MAX_CHARS = 2000


def _name(value: Any) -> str:
    name = one_line(" ".join(str(value).split()))
    if not name or len(name) > NAME_MAX_CHARS:
        raise Unusable(
            f"The group needs a name of at most {NAME_MAX_CHARS} characters.", "Write one, such as Shop team."
        )
    return str(name)


def _emails(value: Any) -> list[str]:
    text = str(value).replace(";", ",").replace("\n", ",")
    typed = [part.strip() for part in text.split(",") if part.strip()]
    if len(typed) > ADDRESSES_MAX:
        raise Unusable(f"These are more than {ADDRESSES_MAX} addresses.", "Make a second group, or a mailing list.")
    return list(dict.fromkeys(_email(one) for one in typed))


def _email(text: str) -> str:
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Unusable(f"“{text[:80]}” is no e-mail address: {error}", "Correct it.") from None
    if not checked.ascii_email:
        raise Unusable(f"“{text[:80]}” has letters before the @ that not every mail server takes.", "Use another one.")
    return str(checked.ascii_email)


def _webhook(value: Any) -> str:
    address = str(value).strip()
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine or len(address) > URL_MAX_CHARS or not address.isprintable() or " " in address:
        raise Unusable("This is not a web address.", "Paste it as the chat gives it: https://…")
    _check_host(str(urlsplit(address).hostname))
    return address


def _check_host(host: str) -> None:
    """Refuse a reserved address that is written out; where a name leads is looked at when it is called."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    try:
        check_peer(host, host, ("*",))
    except PrivateAddress:
        raise Unusable("This address is reserved and never called.", "Use the address of the chat's server.") from None


def _connector_ids(value: Any, info: ValidationInfo) -> list[int]:
    typed, known = {str(each) for each in value}, info.context or ()
    chosen = sorted(number for number in known if str(number) in typed)
    if len(chosen) < len(typed):
        raise Unusable("One of these connectors does not exist any more.", "Choose again.")
    return chosen


def _causes(value: Any) -> list[str]:
    if unknown := [cause for cause in value if cause not in CAUSES]:
        raise Unusable(f"There is no cause “{str(unknown[0])[:40]}”.", "Choose from the list.")
    return [cause for cause in CAUSES if cause in value]


class GroupSettings(Settings):
    """A group as its form gives it; an empty `webhook` keeps the stored one unless `forget_webhook` is set."""

    name: Annotated[str, BeforeValidator(_name)] = Field(default="", title="Name", validate_default=True)
    emails: Annotated[list[str], BeforeValidator(_emails)] = Field(
        default=[],
        title="E-mail addresses",
        description="One a line, or with commas between them. They see each other's addresses.",
    )
    webhook: Annotated[str, BeforeValidator(_webhook)] = Field(
        default="",
        title="Webhook",
        description="The incoming webhook of Slack, Mattermost or another program. Whoever knows the address can "
        "write there, so it is stored encrypted and not shown again.",
    )
    forget_webhook: bool = Field(default=False, title="Forget the stored webhook")
    connector_ids: Annotated[list[int], BeforeValidator(_connector_ids)] = Field(
        default=[], title="Connectors", description="None ticked means all, also those made later."
    )
    causes: Annotated[list[str], BeforeValidator(_causes)] = Field(
        default=[], title="Causes", description="None ticked means all."
    )
    digest: bool = Field(
        default=False,
        title="Daily summary",
        description="At 7:00 of the shop's clock: the figures of the day, what is wrong, and what waits for a person.",
    )
