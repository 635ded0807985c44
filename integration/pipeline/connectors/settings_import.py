"""Settings from a file or back to their defaults (P89): first shown, then saved as they were shown or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.connector import Connector
from integration.pipeline.audited import Audit, Diff, unaudited
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.settings import TITLES
from integration.settings.wootic import Taken


class ChangedSince(SettingError):
    """Settings were changed after the preview was made, so saving would do something else than was shown."""

    def __init__(self) -> None:
        sentence = "Somebody has changed settings since this was shown, so nothing was saved."
        super().__init__("preview", sentence, "Look at it as it is now and save again.")


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would change: settings and connection as {key: [before, after]}, a secret only as “changed”."""

    taken: Taken
    diff: Diff
    connection: Diff

    @property
    def mark(self) -> str:
        """Return a short mark that is another one for any other change."""
        return _mark(self.diff)


def preview(services: Services, connector: Connector, taken: Taken) -> Preview:
    """Return what saving would change, nothing stored; raises SettingError for all that cannot be used."""
    diff = connectors.previewed(services, connector, taken.changes, TITLES)
    return Preview(taken, diff, _connection_diff(services, connector, taken.connection))


def save(
    services: Services,
    connector_id: int,
    taken: Taken,
    mark: str,
    *,
    audit: Audit[Diff] = unaudited,
    author: str = "",
) -> Diff:
    """Save settings as one change; raises ChangedSince where it would not be the one of the mark (Preview.mark)."""

    def as_shown(session: Session, diff: Diff) -> None:
        if _mark(diff) != mark:
            raise ChangedSince
        audit(session, diff)

    return connectors.configure(services, connector_id, taken.changes, TITLES, audit=as_shown, author=author)


def connect(services: Services, connector_id: int, taken: Taken, *, audit: Audit[Diff] = unaudited) -> Diff:
    """Save what the file says of Mautic's address, user and password; return what changed, the password unsaid."""
    return connectors.connect(services, connector_id, audit=audit, **_connection(taken.connection))


def _connection(given: Mapping[str, str]) -> dict[str, str]:
    signs_in = "mautic_user" in given and "mautic_password" in given
    return {**given, **({"mautic_method": "basic"} if signs_in else {})}


def _connection_diff(services: Services, connector: Connector, given: Mapping[str, str]) -> Diff:
    if not given:
        return {}
    checked = connectors.checked_over(connector, _connection(given), services.clock.now())
    stored = services.readable_secrets(connector)
    found: dict[str, list[Any]] = {}
    for name in _connection(given):
        if name == "mautic_password":
            if stored.get(name) != checked.plain(name):
                found[name] = ["stored" if stored.get(name) else "", "changed"]
        elif getattr(connector, name) != checked.plain(name):
            found[name] = [getattr(connector, name) or "", checked.plain(name)]
    return found


def sealed(services: Services, connector: Connector, shown: Preview) -> str:
    """Return a preview as text for a form, encrypted: it may have a password, and must come back as it went."""
    taken = shown.taken
    changed = {key: value for key, value in taken.changes.items() if _is_changed(key, shown.diff)}
    parts = {"connector": connector.id, "mark": shown.mark, "changes": changed, "connection": dict(taken.connection)}
    return services.vault.seal(parts)


def _is_changed(key: str, diff: Diff) -> bool:
    module = key.partition(".")[0]
    return key in diff or (module == "mapping" and any(each.startswith("mapping.") for each in diff))


def unsealed(services: Services, connector: Connector, text: str) -> tuple[Taken, str]:
    """Return what was previewed for this connector, and its mark; raises SettingError for any other text."""
    try:
        parts = services.vault.open(text)
    except SettingError:
        parts = {}
    if parts.get("connector") != connector.id or "mark" not in parts:
        raise SettingError("preview", "It was not understood what is to be saved.", "Choose the file again.")
    return Taken(parts["changes"], parts["connection"]), parts["mark"]


def _mark(diff: Diff) -> str:
    return hashlib.sha256(json.dumps(diff, sort_keys=True, default=str).encode()).hexdigest()[:16]
