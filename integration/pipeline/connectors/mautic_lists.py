"""The last lists that Mautic told of what can be chosen in it: shown, with their time, while it cannot be asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from integration.models.connector import Connector
from integration.pipeline.services import Services

log = logging.getLogger(__name__)
#: The key in a connector's facts of Mautic.
LISTS = "lists"
#: A list that is the same is written down again when it is older: each look at a page need not write.
REWRITTEN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list as Mautic told it, id (text) -> name, and when."""

    choices: Mapping[str, str]
    at: datetime


def known(connector: Connector, name: str) -> KnownList | None:
    """Return the last list that this Mautic told, None where there is none."""
    kept = (connector.mautic_facts.get(LISTS) or {}).get(name) or {}
    if kept.get("of") != connector.mautic_url:
        return None
    return KnownList(dict(kept["choices"]), datetime.fromisoformat(kept["at"]))


def keep(services: Services, connector: Connector, name: str, choices: Mapping[str, str]) -> None:
    """Keep a list that Mautic has just told; a database that cannot be written now does without."""
    now, former = services.clock.now(), known(connector, name)
    if former and former.choices == choices and now - former.at < REWRITTEN_AFTER:
        return
    kept = {"of": connector.mautic_url, "at": now.isoformat(), "choices": dict(choices)}
    try:
        with services.db.write() as session:
            row = session.get_one(Connector, connector.id)
            row.mautic_facts = {**row.mautic_facts, LISTS: {**(row.mautic_facts.get(LISTS) or {}), name: kept}}
    except OperationalError:
        log.warning("the list of Mautic's %s was not kept: the database cannot be written now", name)
