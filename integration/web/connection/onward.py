"""Where a way that leads through the store or Mautic comes back to: the Connection tab, or the guided set-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request, url_for

#: What the address of a button on the guided set-up carries.
GUIDED = {"to": "setup"}


def is_guided(args: Mapping[str, str]) -> bool:
    """Tell whether the parameters of an address are those of the guided set-up."""
    return args.get("to") == GUIDED["to"]


def asked() -> dict[str, Any]:
    """Return what the way back has to carry so that it ends where this request began."""
    return dict(GUIDED) if is_guided(request.args) else {}


def url(connector_id: int, side: str, *, guided: bool) -> str:
    """Return the address of a side ("store", "mautic") on the page to come back to."""
    return url_for("setup.index" if guided else "connection.index", connector_id=connector_id, _anchor=side)
