"""What a process holds of a row changes after the commit that changed the row: what failed is done again by it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "integration"
#: Rows that a process keeps while it works, by the names that they have there.
HELD = ("self.run.", "self.connector.")
FILES = [file for file in sorted(ROOT.rglob("*.py")) if any(name in file.read_text("utf-8") for name in HELD)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_copy_is_ahead_of_the_database(file: Path) -> None:
    assert list(ahead(file.read_text("utf-8"))) == []


def test_a_copy_that_is_ahead_is_noticed() -> None:
    body = "    run.cursor = {}\n    self.run.cursor = run.cursor\nself.run.phase = 'x'\n"
    assert list(ahead(f"with self.services.db.write() as session:\n{body}")) == [3]
    assert list(ahead(f"with self.services.db.read() as session:\n{body}")) == []


def ahead(source: str) -> Iterator[int]:
    """Yield the lines that set something of a held row inside of a write."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.With) and any("db.write()" in ast.unparse(item) for item in node.items):
            yield from (each.lineno for each in ast.walk(node) if isinstance(each, ast.Assign) and _sets_held(each))


def _sets_held(node: ast.Assign) -> bool:
    parts = [part for target in node.targets for part in ast.walk(target)]
    return any(ast.unparse(part).startswith(HELD) for part in parts if isinstance(part, ast.Attribute))
