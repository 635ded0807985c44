"""For how many days each kind of row is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError

from integration.settings.errors import told, unusable
from integration.settings.kinds import Settings

LEAST, MOST = 1, 3650
_SHOWN_MAX = 80
_DIGITS_MAX = 5


def _span(value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and LEAST <= int(text) <= MOST):
        raise unusable(
            f"“{text[:_SHOWN_MAX]}” is no number of days or hours.", f"Write a whole number from {LEAST} to {MOST}."
        )
    return int(text)


_Span = Annotated[int, BeforeValidator(_span), Field(ge=LEAST, le=MOST)]


class Retention(Settings):
    """Days (monitoring.md, Numbers); `payload_hours` is in hours after the run."""

    success: _Span = 90
    errors: _Span = 180
    deliveries: _Span = 90
    runs: _Span = 90
    audit: _Span = 730
    payload_hours: _Span = 24

    def with_values(self, values: Mapping[str, str]) -> Self:
        """Return a copy with typed values; raises SettingError for all that are no number of days."""
        typed = {name: value for name, value in values.items() if name in type(self).model_fields}
        try:
            return type(self).model_validate({**self.model_dump(), **typed})
        except ValidationError as error:
            raise told(error, type(self)) from None
