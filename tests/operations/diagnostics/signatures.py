"""How a known failure arrives, and what must be made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[2] / "contract" / "recordings"


@dataclass(frozen=True)
class Said:
    """An answer as it comes over the wire."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Classified:
    """An answer to a call of the sync, the kind and code of its error, and words of its sentence and hint."""

    service: str
    said: Said
    kind: str
    code: str
    says: str
    do: str
    path: str = "contacts"
    basic: bool = False


@dataclass(frozen=True)
class Stepped:
    """What a server answers to a connection test, and how the step with this number ends."""

    service: str
    answers: Mapping[str, Said]
    number: int
    code: str
    says: str
    do: str
    state: str = "failed"


@dataclass(frozen=True)
class Elsewhere:
    """No matter of one answer: the place in the program that deals with it, and the test that proves it."""

    place: str
    test: str
    reason: str


Case = Classified | Stepped | Elsewhere


def recorded(name: str) -> Said:
    """Return the answer of a recording, such as "mautic/355"."""
    service, number = name.split("/")
    (path,) = (RECORDINGS / service).glob(f"{number}-*.json")
    told = json.loads(path.read_text(encoding="utf-8"))
    response = told.get("exchanges", [told])[-1]["response"]
    kept = {name: value for name, value in dict(response["headers"]).items() if name.lower() in _KEPT}
    return Said(response["status"], response["body"] or "", kept)


#: Headers that say something of the failure; lengths and dates would not fit what is replayed.
_KEPT = (
    "content-type",
    "location",
    "link",
    "retry-after",
    "www-authenticate",
    "cf-mitigated",
    "cf-ray",
    "x-ratelimit-limit",
    "x-ratelimit-reset",
    "mautic-version",
)


def page(status: int, body: str, **headers: str) -> Said:
    """Return a web page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, f"<!DOCTYPE html><html>{body}</html>", {"Content-Type": "text/html", **named})


def kernel(status: int, message: str, kind: str | None = None) -> Said:
    """Return what Mautic's kernel says before any controller runs."""
    return _json(status, {"errors": [{"message": message, "code": status, "type": kind}]})


def entity(status: int, message: str, **details: Any) -> Said:
    """Return what a controller of Mautic says of an entity."""
    return _json(status, {"errors": [{"code": status, "message": message, "details": details or []}]})


def wordpress(status: int, code: str, message: str, **data: Any) -> Said:
    """Return WordPress' error."""
    return _json(status, {"code": code, "message": message, "data": {"status": status, **data}})


def ok(value: Any, **headers: str) -> Said:
    """Return a good JSON answer."""
    return _json(200, value, **headers)


def _json(status: int, value: Any, **headers: str) -> Said:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Said(status, json.dumps(value), {"Content-Type": "application/json", **named})
