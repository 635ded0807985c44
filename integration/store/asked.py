"""What the settings look at in the store's records, beside what is read in any case: one thing asked, kept and told.

Two parts of the settings look: consent at keys of the meta data, a person's own mapping at paths (streams/asked.py). A
client of the store knows both; whoever reads whole records with it, or gets one by a webhook, keeps their values with
each. What was not asked for when a record was read is not among them, which is another thing than that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integration.settings.mapping import META
from integration.store import mapped_values, meta_data


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at in records of one kind: `keys` of meta data, `paths` as own rows have them."""

    keys: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        """Return the parts of the store's record that it lies in ("meta_data", "shipping")."""
        return (*((META,) if self.keys else ()), *(path.partition(".")[0] for path in self.paths))

    def kept(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record with what it has there; of keys nothing where it came without its meta data."""
        return mapped_values.added(meta_data.answered(raw, self.keys), self.paths)


NOTHING = Asked()
