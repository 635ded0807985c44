"""What the settings look at in each kind of record that the store has."""

from __future__ import annotations

from collections.abc import Mapping

from integration.events import Kind
from integration.mapping import field_map
from integration.settings import Modules
from integration.store.asked import Asked
from integration.streams import consents


def by(modules: Modules) -> Mapping[Kind, Asked]:
    """Return it by kind of record: the meta keys of consent, and the paths of own rows."""
    return {kind: Asked(consents.keys_of(kind, modules.consent), field_map.own_paths(kind, modules)) for kind in Kind}
