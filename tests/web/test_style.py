"""The look: small files, and colours that can be read in light and dark (WCAG AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css"
SOURCE = (CSS / "tokens.css").read_text(encoding="utf-8")
#: Text colour, background; 4.5 is AA for text.
PAIRS = [
    ("text", "page"),
    ("text", "surface"),
    ("text", "surface-alt"),
    ("text-muted", "page"),
    ("text-muted", "surface"),
    ("text-muted", "surface-alt"),
    ("link", "page"),
    ("link", "surface"),
    ("link", "surface-alt"),
    ("link-hover", "surface"),
    ("action-text", "action"),
    ("danger-text", "danger"),
    ("danger-text", "danger-hover"),
    ("menu-text", "menu"),
    ("menu-muted", "menu"),
    ("menu-text", "menu-hover"),
    ("menu-current-text", "menu-current"),
    ("bad", "surface"),
    # A row that a click opens, while it is pointed at.
    ("text", "info-soft"),
    ("text-muted", "info-soft"),
    ("link", "info-soft"),
    *[(kind, f"{kind}-soft") for kind in ("ok", "warn", "bad", "info", "mute")],
]


def tokens(scheme: str) -> dict[str, str]:
    light, dark = SOURCE.split("@media")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if scheme == "dark" else {})


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_can_be_read(scheme: str, front: str, back: str) -> None:
    colours = tokens(scheme)
    bright, dim = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5


@pytest.mark.parametrize("path", sorted(CSS.glob("*.css")), ids=lambda path: path.name)
def test_files_are_small_and_colours_are_tokens(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 300
    used = set(re.findall(r"var\(--([\w-]+)\)", source))
    assert used <= set(re.findall(r"--([\w-]+):", SOURCE))


def test_there_are_four_files() -> None:
    assert sorted(path.stem for path in CSS.glob("*.css")) == ["base", "components", "operations", "pages", "tokens"]
