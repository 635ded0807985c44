"""Test files stand alone: what several of them use lies in a module that is named by what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent


def test_nothing_is_imported_from_a_test_file() -> None:
    sources = {path.relative_to(TESTS): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    assert sources
    found = [f"{path}:{line}" for path, source in sources.items() for line in borrowing(source)]
    assert found == [], "move it to a module named by its noun, or to the folder's conftest.py"


def test_an_import_from_a_test_file_is_noticed() -> None:
    borrowed = (
        "from tests.web.test_hooks import sign\nfrom tests.web import test_hooks\n"
        "import tests.web.test_hooks\nfrom test_hooks import sign\n"
    )
    assert list(borrowing(borrowed)) == [1, 2, 3, 4]
    assert list(borrowing("from tests.web.conftest import Person\nfrom tests import waiting\nimport pytest\n")) == []


def borrowing(source: str) -> Iterator[int]:
    """Lines that import a test file or something out of one."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module=module, names=names):
                imported = [f"{module}.{each.name}" for each in names]
            case ast.Import(names=names):
                imported = [each.name for each in names]
            case _:
                continue
        if any(part.startswith("test_") for name in imported for part in name.split(".")):
            yield node.lineno
