"""Lines and scripts for a shop's own pages: our values in somebody else's JavaScript, HTML and PHP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "static" / "shop"
#: What stands in a script for a connector's own values.
PLACE = "WOO_MAUTIC_CONFIG"


def with_config(minified: Path, config: Mapping[str, object]) -> str:
    """Return a script with a connector's own values in it."""
    return _read(minified).replace(PLACE, in_script(config))


def etag(text: str) -> str:
    """Return what changes when a script does."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def tag(url: str) -> str:
    """Return the one line for the pages of a shop; `url` is the script's."""
    return f'<script async src="{url}"></script>'


def in_script(config: Mapping[str, object]) -> str:
    """Return JSON that is a JavaScript literal wherever it stands, in a file or between script tags."""
    text = json.dumps(config, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def in_php(text: str) -> str:
    """Return a text as it stands between single quotes in PHP."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


@cache
def _read(minified: Path) -> str:
    return minified.read_text(encoding="utf-8")
