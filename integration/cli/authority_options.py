"""How a command is given an own certificate authority: the PEM file is read once, and its content is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from integration import certificates

Command = TypeVar("Command", bound=Callable[..., Any])


def authority_option(side: str) -> Callable[[Command], Command]:
    """Give a command `--SIDE-ca-file`, whose value is the text of the file; `--SIDE-ca` is its former name."""
    file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
    says = "PEM file of the authority that signed its certificate, where that is your own."
    names = (f"--{side}-ca-file", f"--{side}-ca", f"{side}_ca")
    return click.option(*names, metavar="FILE", type=file, callback=_content, help=says)


def _content(context: click.Context, option: click.Parameter, path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            # One byte more than fits, so that what is too long is refused as such.
            return file.read(certificates.TEXT_MAX_CHARS + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise click.BadParameter(f"{path} cannot be read as text; it must be in PEM form.", context, option) from None
