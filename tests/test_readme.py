"""What README's first steps say to press and to look at stands on the pages under that name."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Names in WooCommerce and in Mautic, and what a paragraph is about.
OTHERS = {"Read/Write", "API enabled", "A subscribe form for the shop", "Marketing consent"}


def test_what_the_first_steps_name_is_on_the_pages() -> None:
    steps = (ROOT / "README.md").read_text(encoding="utf-8").partition("The same from the command line")[0]
    named = re.findall(r"(?<!\*)\*{1,2}([A-Z][^*]*[^*.])\*{1,2}(?!\*)", " ".join(steps.split()))
    pages = " ".join(
        " ".join(each.read_text(encoding="utf-8") for each in (ROOT / "templates").rglob("*.html")).split()
    )
    shown = {label for name in named for label in name.split(" → ")} - OTHERS
    assert len(shown) > 10
    assert {label for label in shown if not re.search(rf'["> }}]{re.escape(label)}["<{{]', pages)} == set()
