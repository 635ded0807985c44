"""A program is told from another one by its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration import program


@pytest.mark.parametrize("name", ["rules.py", "mapping/data/states.json"])
def test_another_rule_or_list_is_another_program(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("1")
    before = program.of_files(tmp_path)
    (tmp_path / "rules.pyc").write_text("made of it")
    assert program.of_files(tmp_path) == before
    path.write_text("2")
    assert program.of_files(tmp_path) != before
