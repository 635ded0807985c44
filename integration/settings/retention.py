"""For how many days each kind of row is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError

from integration.field_errors import Unusable, told
from integration.settings.kinds import Settings

LEAST, MOST = 1, 3650
_SHOWN_MAX = 80
_DIGITS_MAX = 5


def _span(value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and LEAST <= int(text) <= MOST):
        raise Unusable(
            f"“{text[:_SHOWN_MAX]}” is no number of days or hours.", f"Write a whole number from {LEAST} to {MOST}."
        )
    return int(text)


_Span = Annotated[int, BeforeValidator(_span), Field(ge=LEAST, le=MOST)]


class Retention(Settings):
    """Days (monitoring.md, Numbers); `payload_hours` is in hours after the run."""

    success: _Span = Field(default=90, title="Sync Log, successes (days)")
    errors: _Span = Field(default=180, title="Sync Log, errors (days)")
    deliveries: _Span = Field(default=90, title="Records and their attempts (days)")
    runs: _Span = Field(default=90, title="Runs, alerts, reconciliations (days)")
    audit: _Span = Field(default=730, title="Audit log (days)")
    payload_hours: _Span = Field(default=24, title="Payload files after a run (hours)")

    def with_values(self, values: Mapping[str, Any], prefix: str = "") -> Self:
        """Return a copy with values by prefix and name; raises SettingError for all that are no number of days."""
        typed = {name: values[prefix + name] for name in type(self).model_fields if prefix + name in values}
        try:
            return type(self).model_validate({**self.model_dump(), **typed})
        except ValidationError as error:
            raise told(error, type(self), prefix=prefix) from None
