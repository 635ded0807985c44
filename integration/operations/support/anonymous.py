"""Makes values fit to be given away: no secrets, e-mail addresses by their hash, no text of a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from integration.identity import person_key_of
from integration.masking import hide, mask_text, mask_value

_LEFT_OUT = "…"
#: Shorter words stand in ordinary texts too.
_SHORTEST_SECRET = 4
_BETWEEN = r"[^\s\"'<>(){}\[\],;:@/\\“”„=&?*]"
_ADDRESS = re.compile(rf"({_BETWEEN}{{1,254}})(?:@|%40)([\w-]+(?:\.[\w-]+)*)", re.IGNORECASE)
_QUOTED = re.compile(r"“([^”]*)”|\"([^\"\n]*)\"")
#: SQLAlchemy writes the values of a statement that failed behind it.
_PARAMETERS = re.compile(r"\[parameters: .*?\](?=\n|$)", re.DOTALL)
#: PostgreSQL says which values clashed.
_DETAIL = re.compile(r"(DETAIL:\s+)[^\n]*")


class Cleaner:
    """Cleans values; `secrets` are hidden wherever they stand, `words` are what may be quoted."""

    def __init__(self, secrets: Iterable[str], words: Iterable[str] = ()) -> None:
        self._secrets = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        self._words = {word for word in words if word}

    def value(self, value: Any) -> Any:
        """Return a value as JSON holds it, cleaned at any depth, names of keys too."""
        return self._each(mask_value(value))

    def _each(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._each(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._each(inner) for inner in value]
        if isinstance(value, datetime):
            return value.isoformat()
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Return a text without secrets, its e-mail addresses replaced by their subjects."""
        hidden = mask_text(hide(text, self._secrets))
        return _ADDRESS.sub(lambda found: _person_key(found[1], found[2]), hidden)

    def unquoted(self, text: str) -> str:
        """Return a sentence without what it quotes of a record; names of fields stay."""
        return self.text(_QUOTED.sub(self._quotation, text))

    def log_line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Return a line of the log without what it quotes of a record."""
        return {name: self._of_log(value) if isinstance(value, str) else value for name, value in line.items()}

    def _of_log(self, text: str) -> str:
        return self.unquoted(_DETAIL.sub(rf"\1{_LEFT_OUT}", _PARAMETERS.sub("[parameters left out]", text)))

    def _quotation(self, found: re.Match[str]) -> str:
        inside = found[1] if found[1] is not None else found[2]
        return found[0] if inside in self._words else f"{found[0][0]}{_LEFT_OUT}{found[0][-1]}"


def _person_key(local: str, domain: str) -> str:
    return f"person:{person_key_of(unquote(f'{local}@{domain}'))}"
