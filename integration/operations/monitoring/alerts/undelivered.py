"""Why a message could not be delivered."""

from __future__ import annotations

from integration.errors import IntegrationError


class Undelivered(IntegrationError):
    """A message did not reach anybody; `everybody` says that no other message would by the same way now."""

    def __init__(self, sentence: str, hint: str = "", *, everybody: bool = False) -> None:
        super().__init__("undelivered", sentence, hint)
        self.everybody = everybody
