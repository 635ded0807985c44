"""What can be chosen in Mautic: e-mails and segments by name, or numbers where Mautic cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from integration.errors import IntegrationError
from integration.mautic.client import MauticClient
from integration.mautic.emails import Emails
from integration.mautic.segments import Segments
from integration.models.connector import Connector
from integration.web.frame.services import services


@dataclass(frozen=True, slots=True)
class Picker:
    """What can be chosen in Mautic, id -> name; `problem` says why it could not be asked."""

    choices: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def with_none(self, chosen: object, none: str = "None") -> Picker:
        """Return the choices with none before them, and after them what is chosen but no longer there."""
        choices = {"0": none, **self.choices}
        gone = {} if str(chosen or 0) in choices else {str(chosen): f"{chosen} (no longer in Mautic)"}
        return Picker({**choices, **gone}, self.problem)


def emails(connector: Connector) -> Picker:
    """Return Mautic's template e-mails."""
    return _ask(connector, lambda client: {str(each.id): each.name for each in Emails(client).list()})


def segments(connector: Connector) -> Picker:
    """Return Mautic's segments."""
    return _ask(connector, lambda client: {str(each.id): each.name for each in Segments(client).list()})


def _ask(connector: Connector, read: Callable[[MauticClient], Mapping[str, str]]) -> Picker:
    """Ask Mautic for a list; when it cannot be had, numbers are typed instead."""
    if not connector.mautic_url:
        return Picker(problem="Mautic is not connected yet.")
    try:
        return Picker(read(services().open_mautic(connector, quick=True)))
    except IntegrationError as error:
        return Picker(problem=str(error))
