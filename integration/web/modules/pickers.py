"""What can be chosen in Mautic: e-mails and segments by name, by the last known list while it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from integration.errors import IntegrationError
from integration.mautic.client import MauticClient
from integration.mautic.emails import Emails
from integration.mautic.segments import Segments
from integration.models.connector import Connector
from integration.pipeline.connectors import mautic_lists
from integration.web.frame.services import services


@dataclass(frozen=True, slots=True)
class Picker:
    """What can be chosen in Mautic, id -> name; `problem` says why it could not be asked.

    `known_at` is the time of the last known list, where that is shown instead; without one numbers are typed.
    """

    choices: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    known_at: datetime | None = None

    @property
    def is_typed(self) -> bool:
        """Return whether numbers are typed, for want of a list."""
        return bool(self.problem) and self.known_at is None

    def with_none(self, chosen: object, none: str = "None") -> Picker:
        """Return the choices with none before them, and after them what is chosen but no longer there."""
        choices = {"0": none, **self.choices}
        gone = {} if str(chosen or 0) in choices else {str(chosen): f"{chosen} (no longer in Mautic)"}
        return replace(self, choices={**choices, **gone})


def emails(connector: Connector) -> Picker:
    """Return Mautic's template e-mails."""
    return _ask(connector, "emails", lambda client: {str(each.id): each.name for each in Emails(client).list()})


def segments(connector: Connector) -> Picker:
    """Return Mautic's segments."""
    return _ask(connector, "segments", lambda client: {str(each.id): each.name for each in Segments(client).list()})


def _ask(connector: Connector, name: str, read: Callable[[MauticClient], Mapping[str, str]]) -> Picker:
    """Ask Mautic for a list; when it cannot be had, the last known one stands in for it."""
    if not connector.mautic_url:
        return Picker(problem="Mautic is not connected yet.")
    try:
        choices = read(services().open_mautic(connector, quick=True))
    except IntegrationError as error:
        last = mautic_lists.known(connector, name)
        return Picker(last.choices, str(error), last.at) if last else Picker(problem=str(error))
    mautic_lists.keep(services(), connector, name, choices)
    return Picker(choices)
