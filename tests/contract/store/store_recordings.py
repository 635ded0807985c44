"""The recorded exchanges these tests replay, and the answers compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER = Path(__file__).parent.parent / "recordings" / "store"
# What a shop makes up: keys, the numbers of its rows, its own pictures of prices.
MADE_UP = ("order_key", "payment_url")


@dataclass(frozen=True)
class Recording:
    """One exchange: request and response as recorded."""

    number: int
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def path(self) -> str:
        """Return the request's path and query."""
        return str(self.request["path"])

    @property
    def status(self) -> int:
        """Return the recorded status."""
        return int(self.response["status"])

    @property
    def text(self) -> str:
        """Return the recorded body."""
        return self.response["body"] or ""

    @property
    def body(self) -> Any:
        """Return the recorded JSON."""
        return json.loads(self.text)

    @property
    def request_json(self) -> Any:
        """Return the JSON that was sent: of a delivery, what the shop says."""
        return json.loads(self.request["body"])

    def header(self, name: str) -> str | None:
        """Return a header of the response."""
        return next((value for key, value in self.response["headers"] if key == name), None)

    @property
    def is_basic(self) -> bool:
        """Say whether the request came with basic auth."""
        return any(name == "Authorization" and value.startswith("Basic") for name, value in self.request["headers"])

    @property
    def is_oauth(self) -> bool:
        """Say whether the request was signed."""
        header = dict(map(tuple, self.request["headers"])).get("Authorization", "")
        return "oauth_consumer_key" in self.path or header.startswith("OAuth")


@cache
def recording(number: int) -> Recording:
    """Return a recording by its number."""
    path = next(FOLDER.glob(f"{number:03d}-*.json"))
    read = json.loads(path.read_text("utf-8"))
    return Recording(number, read["request"], read["response"])


def at_home(text: str, url: str) -> str:
    """Put a server's address where the recordings have the shop's."""
    host = url.partition("://")[2]
    written = {"//store.test": f"//{host}", "\\/\\/store.test": f"\\/\\/{host}"}
    for theirs, ours in (written | {"%2F%2Fstore.test": f"%2F%2F{quote(host)}"}).items():
        text = text.replace(theirs, ours)
    return text


def shape(value: Any) -> Any:
    """Return the skeleton of a JSON value: the keys of objects, the first of a list, the kinds of the rest."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"


def without(value: Any, names: tuple[str, ...] = MADE_UP) -> Any:
    """Return a JSON value with some keys taken out everywhere."""
    if isinstance(value, dict):
        return {key: without(each, names) for key, each in value.items() if key not in names}
    if isinstance(value, list):
        return [without(each, names) for each in value]
    return value
