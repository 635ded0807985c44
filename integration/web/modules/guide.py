"""Guides of the folder docs/, shown beside the pages that they are about."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import current_app, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup

#: Where the guides, which are read on their own too, find the pictures.
_PICTURES = "../static/"


def shown(name: str) -> Markup:
    """Return a guide of docs/ as HTML; raises OSError where the installation has none."""
    return Markup(_rendered(Path(current_app.root_path) / "docs" / f"{name}.md", url_for("static", filename="")))


@cache
def _rendered(file: Path, static: str) -> str:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    return str(renderer.render(file.read_text(encoding="utf-8"))).replace(f'src="{_PICTURES}', f'src="{static}')
