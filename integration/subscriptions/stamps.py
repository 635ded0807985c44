"""Stamps: when a form was drawn, and with which wording beside its box, in a text that nobody else can make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from itsdangerous import BadSignature, URLSafeSerializer

#: Nobody reads a form, types an address and ticks a box in less.
FASTEST_S = 2
#: A page may stand open for so long; then it is to be sent once more.
OLDEST_S = 24 * 3600


class Age(StrEnum):
    """How long a form was open; `forged` is one that we have not drawn."""

    FORGED = "forged"
    TOO_FAST = "too_fast"
    GOOD = "good"
    TOO_OLD = "too_old"


@dataclass(frozen=True, slots=True)
class Stamps:
    """Makes and reads the stamps of a connector's forms."""

    secret: str
    cart_key: str

    def make(self, now: datetime, wording: str, *, anew: bool = False) -> str:
        """Return the stamp of a form that is drawn now with this wording.

        One that is drawn `anew`, with what was typed, may be sent at once: a single mistake is soon corrected.
        """
        drawn_at = int(now.timestamp()) - (FASTEST_S if anew else 0)
        return self._serializer.dumps([self.cart_key, drawn_at, wording])

    def read(self, stamp: str, now: datetime) -> tuple[Age, str]:
        """Return how long the form was open, and the wording that stood in it ("" where it is not ours)."""
        try:
            key, drawn_at, wording = self._serializer.loads(stamp)
        except (BadSignature, ValueError, TypeError):
            return Age.FORGED, ""
        if key != self.cart_key:
            return Age.FORGED, ""
        seconds = now.timestamp() - drawn_at
        if seconds > OLDEST_S:
            return Age.TOO_OLD, wording
        return (Age.GOOD if seconds >= FASTEST_S else Age.TOO_FAST), wording

    @property
    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt="subscribe-form")
