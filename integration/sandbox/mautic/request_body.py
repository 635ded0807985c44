"""What a request says: JSON, form or nothing, read as PHP reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from flask import request

from integration.sandbox.mautic.answers import Crash, KernelError

PART = re.compile(r"\[([^\]]*)\]")


def body() -> Any:
    """Return the dict or list that was sent; {} for no body or another content type (mautic:029, mautic:060); 400 for
    broken JSON.
    """
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if kind == "application/json":
        return _json(request.get_data())
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return nested(request.form.items(multi=True))
    return {}


def _json(raw: bytes) -> Any:
    if not raw.strip():
        return {}
    try:
        sent = json.loads(raw)
    except ValueError:
        raise KernelError(400) from None  # mautic:057.
    if sent is None:
        return {}
    if not isinstance(sent, dict | list):
        raise KernelError(400)  # mautic:059.
    return sent


def form() -> dict[str, Any]:
    """Return the body as one entity; a list has no names, so it says nothing (mautic:058)."""
    sent = body()
    return sent if isinstance(sent, dict) else {}


def rows() -> dict[Any, Any]:
    """Return the rows of a batch by key, 0, 1, 2 … for a list (mautic:146 for an object)."""
    sent = body()
    return dict(enumerate(sent)) if isinstance(sent, list) else sent


def row_of(value: Any) -> dict[str, Any]:
    """Return one row of a batch; anything but an array makes PHP throw (mautic:147, mautic:148)."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {}
    raise Crash


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return `a[b][]=c` pairs as nested dicts; lists where all keys were left out."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        first = name.split("[", 1)[0]
        _place(root, [first, *PART.findall(name)], value)
    return {name: _tidy(value) for name, value in root.items()}


def _place(node: dict[str, Any], path: list[str], value: str) -> None:
    for step in path[:-1]:
        below = node.setdefault(step or str(len(node)), {})
        node = below if isinstance(below, dict) else {}
    node[path[-1] or str(len(node))] = value


def _tidy(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    tidied = {key: _tidy(below) for key, below in value.items()}
    if list(tidied) == [str(place) for place in range(len(tidied))]:
        return list(tidied.values())
    return tidied


def entries(value: Any) -> list[Any]:
    """Return the values of a PHP array, [] for anything else."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
