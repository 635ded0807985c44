"""What the last computation of the classes has found, kept with the connector for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from integration.mapping import scores
from integration.operations.scoring.buyers import Borders
from integration.records import Score

#: Fewer buyers cannot be parted into five classes: nobody has one.
BUYERS_MIN = 5
FIGURES = ("recency", "frequency", "monetary")


@dataclass
class Report:
    """One computation: begun `at`, over when `done_at` is set; `after` is the person key it has come to.

    `why` says why there are no classes, "" when there are. `counts` maps recency, frequency and monetary to the number
    of buyers by class; `segments` maps words to numbers. `moved` is how many were owed to Mautic. The borders are JSON:
    ISO moments, numbers of orders, ten-thousandths of `currency`.
    """

    at: str = ""
    done_at: str = ""
    after: str = ""
    why: str = ""
    currency: str = ""
    buyers: int = 0
    moved: int = 0
    borders: dict[str, list[Any]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Self | None:
        """Return what is kept with a connector, None where nothing was computed yet."""
        known = {name: value for name, value in (stored or {}).items() if name in cls.__dataclass_fields__}
        return cls(**known) if known.get("at") else None

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)

    @property
    def going(self) -> bool:
        """Return whether it is not done yet."""
        return not self.done_at

    @property
    def parted(self) -> Borders | None:
        """Return the borders, None where there are no classes."""
        if not self.borders:
            return None
        moments = tuple(datetime.fromisoformat(each) for each in self.borders["last_at"])
        return Borders(moments, tuple(self.borders["orders"]), tuple(self.borders["spent"]))

    def part(self, borders: Borders) -> None:
        """Keep the borders."""
        moments = [each.isoformat() for each in borders.last_at]
        self.borders = {"last_at": moments, "orders": list(borders.orders), "spent": list(borders.spent)}

    def count(self, found: list[Score]) -> None:
        """Count buyers by class and segment."""
        for name in FIGURES:
            more = Counter(str(getattr(each, name)) for each in found)
            self.counts[name] = dict(Counter(self.counts.get(name, {})) + more)
        self.segments = dict(Counter(self.segments) + Counter(scores.segment(each) for each in found))
