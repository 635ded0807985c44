"""A person's own mapping rows as they are typed, and the settings that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration.settings import MappingModule, Modules
from integration.settings.mapping import rows_of


def row(source: str, alias: str = "position", kind: str = "order", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "alias": alias, "source": source, **more}


def modules(*rows: Mapping[str, Any]) -> Modules:
    return Modules(mapping=MappingModule(rows=rows_of(rows)))
