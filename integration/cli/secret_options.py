"""How a command is given a secret: from a file, the environment or a prompt.

On the command line itself every user of the machine can read it in the list of processes; it still works there, and
says so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
_ENVIRONMENT = "WOO_MAUTIC_"
_STDIN = "-"


def secret_option(name: str, says: str) -> Callable[[Command], Command]:
    """Give a command `--name-file` and the discouraged `--name`; the value is read with `read_secret`."""

    def add(command: Command) -> Command:
        variable = _variable(name)
        file = click.Path(exists=True, dir_okay=False, allow_dash=True)
        by_file = click.option(f"--{name}-file", metavar="FILE", type=file, help=f"{says} Or set {variable}.")
        return by_file(click.option(f"--{name}", hidden=True)(command))

    return add


def read_secret(given: dict[str, Any], name: str, *, needed: bool, confirm: bool = False) -> str:
    """Take a secret out of a command's values: file ("-" is standard input), option, environment, else a prompt.

    Raises UsageError where one is needed and nobody can be asked.
    """
    key = name.replace("-", "_")
    plain, file = given.pop(key, None), given.pop(f"{key}_file", None)
    if file is not None:
        return sys.stdin.readline().strip() if file == _STDIN else _of_file(Path(file))
    if plain is not None:
        click.echo(f"--{name} is visible to other users of this machine; use --{name}-file.", err=True)
        return str(plain)
    if _variable(name) in os.environ:
        return os.environ[_variable(name)]
    if not needed:
        return ""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Give --{name}-file, or set {_variable(name)}.")
    return str(click.prompt(name.replace("-", " ").capitalize(), hide_input=True, confirmation_prompt=confirm))


def _of_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} cannot be read as text: {error}.") from None


def _variable(name: str) -> str:
    return _ENVIRONMENT + name.upper().replace("-", "_")
