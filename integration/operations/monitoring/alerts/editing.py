"""Changes a group of recipients: what was typed is checked before it is stored."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.http.errors import PrivateAddress, check_peer
from integration.models.alert import AlertGroup
from integration.operations import audit
from integration.operations.monitoring.alerts import digest, groups
from integration.operations.monitoring.alerts.finding import CAUSES
from integration.pipeline.services import Services

MOST_ADDRESSES = 50
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Typed:
    """A group as a form gives it; an empty `webhook` keeps the stored one unless `forget_webhook` is set."""

    name: str
    emails: str = ""
    webhook: str = ""
    forget_webhook: bool = False
    connector_ids: Sequence[str] = ()
    causes: Sequence[str] = ()
    digest: bool = False


def new_group(now: datetime, organisation_id: int) -> AlertGroup:
    """Return a group without recipients, not stored yet."""
    return AlertGroup(
        organisation_id=organisation_id, name="", emails=[], connector_ids=[], causes=[], digest=False, created_at=now
    )


def save(
    services: Services, session: Session, group: AlertGroup, typed: Typed, connector_ids: Collection[int]
) -> dict[str, Any]:
    """Store what was typed and return {field: [before, after]}, the webhook only as "changed".

    `connector_ids` are those that may be chosen. Raises SettingError naming the field that cannot be used.
    """
    diff = _applied(group, _checked(typed, connector_ids))
    diff |= _apply_webhook(services, group, typed)
    if not groups.ways(group):
        raise SettingError("emails", "The group has no recipient.", "Write an e-mail address or a webhook address.")
    session.add(group)
    if group.digest and (group.digest_at is None or "digest" in diff):
        group.digest_at = digest.next_at(services, session, group)
    session.flush()
    return diff


def _checked(typed: Typed, connector_ids: Collection[int]) -> dict[str, Any]:
    return {
        "name": _name(typed.name),
        "emails": _emails(typed.emails),
        "connector_ids": _numbers(typed.connector_ids, connector_ids),
        "causes": _causes(typed.causes),
        "digest": typed.digest,
    }


def _applied(group: AlertGroup, after: Mapping[str, Any]) -> dict[str, Any]:
    diff = {name: [getattr(group, name), value] for name, value in after.items() if getattr(group, name) != value}
    for name, value in after.items():
        setattr(group, name, value)
    return diff


def _apply_webhook(services: Services, group: AlertGroup, typed: Typed) -> dict[str, str]:
    address = _webhook(typed.webhook)
    if address:
        group.webhook = services.vault.seal({"url": address})
    elif typed.forget_webhook and group.webhook:
        group.webhook = None
    else:
        return {}
    return {"webhook": audit.CHANGED}


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > 120:
        raise SettingError("name", "The group needs a name of at most 120 characters.", "Write one, such as Shop team.")
    return name


def _emails(text: str) -> list[str]:
    typed = [part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
    if len(typed) > MOST_ADDRESSES:
        raise SettingError(
            "emails", f"These are more than {MOST_ADDRESSES} addresses.", "Make a second group, or a mailing list."
        )
    return list(dict.fromkeys(_email(one) for one in typed))


def _email(text: str) -> str:
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise SettingError("emails", f"“{text[:80]}” is no e-mail address: {error}", "Correct it.") from None
    if not checked.ascii_email:
        raise SettingError(
            "emails", f"“{text[:80]}” has letters before the @ that not every mail server takes.", "Use another one."
        )
    return str(checked.ascii_email)


def _webhook(text: str) -> str:
    address = text.strip()
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine or len(address) > _LONGEST or not address.isprintable() or " " in address:
        raise SettingError("webhook", "This is not a web address.", "Paste it as the chat gives it: https://…")
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
        raise SettingError(
            "webhook", "This address is reserved and never called.", "Use the address of the chat's server."
        ) from None


def _numbers(typed: Sequence[str], known: Collection[int]) -> list[int]:
    chosen = sorted({number for number in known if str(number) in typed})
    if len(chosen) < len(set(typed)):
        raise SettingError("connector_ids", "One of these connectors does not exist any more.", "Choose again.")
    return chosen


def _causes(typed: Sequence[str]) -> list[str]:
    if unknown := [cause for cause in typed if cause not in CAUSES]:
        raise SettingError("causes", f"There is no cause “{unknown[0][:40]}”.", "Choose from the list.")
    return [cause for cause in CAUSES if cause in typed]
