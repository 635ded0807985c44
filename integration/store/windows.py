"""Windows over modification dates that lose nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """What was modified at or after `after` and before `before`, both aware or None for open.

    Raises ValueError for a date without zone: nobody could tell whose time it is.
    """

    after: datetime | None = None
    before: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse dates without zone."""
        for moment in (self.after, self.before):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"The date {moment.isoformat()} has no time zone.")

    def params(self, prefix: str = "modified_") -> dict[str, str]:
        """Return the filters: GMT without a zone, dates_are_gmt=true, the lower bound a second earlier.

        A zone together with dates_are_gmt is wrong by the store's offset (woo:013 and woo:014); the lower bound is
        strict, so the last second would lose its later orders (woo:018, woo:019); fractions are dropped (woo:017).
        """
        params: dict[str, str] = {}
        if self.after is not None:
            params[f"{prefix}after"] = _written(_whole(self.after) - _SECOND)
        if self.before is not None:
            whole = _whole(self.before)
            params[f"{prefix}before"] = _written(whole if whole == self.before else whole + _SECOND)
        return {**params, "dates_are_gmt": "true"} if params else {}


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _written(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()
