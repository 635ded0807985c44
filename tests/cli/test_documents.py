"""The commands that README and the documents show are there, with these options, and work as they are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from integration.cli import root
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
#: Words that stand for what a reader puts there.
_VALUES = {"RUN": "1", "ID": "1", "CONNECTOR": "1", "ADDRESS": "ada@shop.example", "SCHEMA": "0027"}


def commands() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (document, words behind woo-mautic) of each command that stands in code."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        found = re.findall(r"`(?:\.venv/bin/)?(?:woo-mautic|wm) ([^`]*)`", text)
        found += re.findall(r"^(?:\.venv/bin/)?(?:woo-mautic|wm) (.*)$", "\n".join(blocks), re.MULTILINE)
        yield from ((document.name, tuple(shlex.split(each, comments=True))) for each in found)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the commands name."""
    monkeypatch.chdir(tmp_path)
    for _, words in commands():
        for word in words:
            if word == "FILE" or re.fullmatch(r"[\w-]+\.(txt|json)", word):
                Path(word).write_text("correct horse battery\n")


@pytest.mark.parametrize(("document", "words"), sorted(set(commands())))
def test_a_command_of_a_document_can_be_read(document: str, words: tuple[str, ...]) -> None:
    command: click.Command = root
    context, left = click.Context(root), [_VALUES.get(word, word) for word in words]
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        name = left.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{document}: {name}"
        command, context = found, click.Context(found, parent=context)
    if left and "--help" not in left:
        command.make_context(words[0], left)


def test_a_user_is_added_as_readme_says(quick: Run) -> None:
    [words] = {words for document, words in commands() if document == "README.md" and words[:2] == ("user", "add")}
    assert quick(*words).code == 0
    [user] = quick("user", "list", "--json").json
    assert (user["email"], user["role"]) == ("you@shop.example", "admin")
