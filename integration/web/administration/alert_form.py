"""What the forms of the Alerts page say: a group as it was typed, and a silence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from integration.errors import SettingError
from integration.models.alert import AlertGroup
from integration.operations.monitoring.alerts import CAUSES, silence
from integration.operations.monitoring.alerts.editing import Typed


def typed(form: MultiDict[str, str]) -> Typed:
    """Return a group as a form gives it."""
    return Typed(
        name=form.get("name", ""),
        emails=form.get("emails", ""),
        webhook=form.get("webhook", ""),
        forget_webhook=bool(form.get("forget_webhook")),
        connector_ids=form.getlist("connector_ids"),
        causes=form.getlist("causes"),
        digest=bool(form.get("digest")),
    )


def shown(group: AlertGroup) -> Typed:
    """Return a stored group as its form shows it; the webhook's address never comes back."""
    return Typed(
        name=group.name,
        emails="\n".join(group.emails),
        connector_ids=[str(number) for number in group.connector_ids],
        causes=[str(cause) for cause in group.causes],
        digest=group.digest,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A silence that somebody asks for; `hours` is 0 where it is to end."""

    connector_id: int
    cause: str
    hours: int = 0

    @property
    def name(self) -> str:
        """Return what the silence is about."""
        return CAUSES.get(self.cause, "every cause")


def asked(form: MultiDict[str, str], connector_ids: Collection[int], *, hours: bool = True) -> Asked:
    """Return the silence that a form asks for; raises SettingError for what is not in its lists."""
    known: dict[str, Any] = {str(number): number for number in connector_ids}
    number, cause = known.get(form.get("connector_id", "")), form.get("cause", "")
    if number is None:
        raise SettingError("connector_id", "There is no such connector.", "Choose one from the list.")
    if cause != silence.EVERY and cause not in CAUSES:
        raise SettingError("cause", "There is no such cause.", "Choose one from the list.")
    if not hours:
        return Asked(number, cause)
    spans = {str(hours): hours for hours in silence.SPANS}
    if form.get("hours", "") not in spans:
        raise SettingError("hours", "A silence cannot last that long.", "Choose a time from the list.")
    return Asked(number, cause, spans[form["hours"]])
