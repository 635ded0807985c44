"""Each command is found where it is, and carries neither what others need nor what an older schema needs."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click

from integration import cli
from integration.cli.command_modules import MODULES

#: What a command had loaded when it ended; the database is at the newest schema from the second time on.
_LOADED = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from integration.cli import main
main()
"""


def loaded(environ: dict[str, str], *args: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *args], env=environ, capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_every_command_is_found_in_its_module() -> None:
    found = {}
    for path in Path(cli.__file__).parent.glob("*.py"):
        commands = getattr(import_module(f"integration.cli.{path.stem}"), "COMMANDS", ())
        found |= {command.name: path.stem for command in commands}
    assert found == MODULES
    context = click.Context(cli.root)
    assert {name: cli.root.get_command(context, name).name for name in cli.root.list_commands(context)} == {
        name: name for name in found
    }


def test_a_command_carries_no_other_and_no_alembic(environ: dict[str, str]) -> None:
    first, second = (loaded(environ, "worker", "--until-idle") for _ in range(2))
    assert "alembic" in first and "alembic" not in second
    assert {name for name in second if name in {f"integration.cli.{each}" for each in MODULES.values()}} == {
        "integration.cli.syncing"
    }


def test_a_command_that_is_not_there_is_said(environ: dict[str, str]) -> None:
    line = [sys.executable, "-c", "from integration.cli import main; main()", "synk"]
    done = subprocess.run(line, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "No such command 'synk'." in done.stderr


def test_help_tells_every_command(environ: dict[str, str]) -> None:
    line = [sys.executable, "-c", "from integration.cli import main; main()", "--help"]
    told = subprocess.run(line, env=environ, capture_output=True, text=True, check=True).stdout
    assert {row.split()[0] for row in told.partition("Commands:")[2].splitlines() if row.strip()} >= MODULES.keys()
