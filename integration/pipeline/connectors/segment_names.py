"""What Mautic calls the segments that the settings choose: kept with the connector, so that sentences can say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration.errors import ServiceError
from integration.mautic.client import MauticClient
from integration.mautic.segments import Segments
from integration.models.connector import Connector
from integration.settings import Modules

#: The key in a connector's facts of Mautic: segment id (text) -> name, "" for one whose name Mautic did not tell.
SEGMENTS = "segments"


def known(connector: Connector) -> dict[int, str]:
    """Return segment id -> name of those whose name is known."""
    return {int(number): name for number, name in _kept(connector).items() if name}


def called(names: Mapping[int, str], segment_id: int) -> str:
    """Return how a sentence calls a segment: by its name, by its id where that is not known."""
    return names.get(segment_id) or str(segment_id)


def are_asked(connector: Connector, modules: Modules) -> bool:
    """Tell whether Mautic was asked for the name of each segment that is chosen."""
    return _chosen(modules) <= _kept(connector).keys()


def read(client: MauticClient, connector: Connector, modules: Modules) -> dict[str, str]:
    """Return what is to be kept: the names of the chosen segments, for one call and only where some are chosen.

    A name decorates: where Mautic does not tell, the former one stays, and nothing fails.
    """
    chosen = _chosen(modules)
    try:
        told = {str(each.id): each.name for each in Segments(client).list()} if chosen else {}
    except ServiceError:
        told = {}
    return {number: told.get(number) or _kept(connector).get(number, "") for number in sorted(chosen)}


def _chosen(modules: Modules) -> set[str]:
    return {str(number) for number in modules.orders.segments.values() if number > 0}


def _kept(connector: Connector) -> Mapping[str, Any]:
    kept: Mapping[str, Any] = connector.mautic_facts.get(SEGMENTS) or {}
    return kept
