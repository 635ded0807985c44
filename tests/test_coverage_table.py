"""docs/coverage.md names every row and nothing that is not there."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = [
    line.split(" | ")
    for line in (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [PX]\d", line)
]
SPANS = ((1, 6), (10, 20), (30, 44), (50, 62), (70, 72), (80, 90), (100, 103))


def test_every_row_stands_in_its_order() -> None:
    features = chain.from_iterable(range(first, last + 1) for first, last in SPANS)
    # P38 and X16 have two halves, each with a place of its own.
    assert list(dict.fromkeys(row[0].strip("| ") for row in ROWS)) == [
        *(f"P{n}" for n in features),
        *(f"X{n}" for n in range(1, 21)),
    ]


def test_every_place_and_every_test_is_there() -> None:
    for _, _, where, test in ROWS:
        (module,), (file,) = re.findall(r"`(\S+)`", where), re.findall(r"`(\S+\.py)`", test)
        assert (ROOT / "integration" / module).is_file(), module
        assert (ROOT / "tests" / file).is_file(), file
