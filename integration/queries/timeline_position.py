"""Where a page of a timeline begins: each source of lines is read on by its own keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from integration.field_errors import Unusable
from integration.url_filters import Parameter, UrlFilter


@dataclass(frozen=True, slots=True)
class TimelinePosition:
    """Where a page begins: only lines with smaller keys, by `what`."""

    before: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> TimelinePosition | None:
        """Return the place that an address names, None where it cannot be read."""
        parts = [re.fullmatch(r"(record|attempt|log|follow_up)\.(\d{1,18})", part, re.ASCII) for part in text.split()]
        return cls({part[1]: int(part[2]) for part in parts if part}) if all(parts) else None

    def below(self, what: str) -> int:
        """Return the key that the lines of a source must stay below."""
        return self.before.get(what, 2**62)

    def after(self, keys: Mapping[str, int]) -> str:
        """Return the place behind the last line of each source (`what` -> key) as it stands in an address."""
        keys = self.before | dict(keys)
        return " ".join(f"{what}.{key}" for what, key in sorted(keys.items()))


@dataclass(frozen=True)
class TimelinePositionText(Parameter):
    """A place in a timeline as it stands in an address."""

    def read(self, name: str, text: str, zone: ZoneInfo) -> TimelinePosition:
        """Return the place; raises Unusable for any other text."""
        position = TimelinePosition.parse(text)
        if position is None:
            raise Unusable("The place in the address was not understood, so the newest entries are shown.")
        return position


class TimelineQuery(UrlFilter):
    """From where on a timeline is shown."""

    older: Annotated[TimelinePosition, TimelinePositionText()] = Field(default_factory=TimelinePosition)
