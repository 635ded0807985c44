"""The filters of the pages as options of commands, refused where a page would leave them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from integration.url_filters import EntryNumber, UrlFilter, id_of

Command = TypeVar("Command", bound=Callable[..., Any])
Query = TypeVar("Query", bound=UrlFilter)


def filter_options(model: type[UrlFilter], *left_out: str) -> Callable[[Command], Command]:
    """Add an option for each value of a filter; times without an offset are in the shop's zone."""

    def add(command: Command) -> Command:
        for name, parameter in reversed(model.parameters().items()):
            if name not in left_out:
                known = parameter.schema().get("enum")
                said = f"One of {', '.join(known)}." if known else None
                command = click.option(option_of(name), name, metavar="TEXT", help=said)(command)
        return command

    return add


def asked(model: type[Query], typed: Mapping[str, Any], zone: str, **given: Any) -> Query:
    """Return the filter that was typed; raises UsageError naming the first value that cannot be used.

    What is given but empty, as by a shell variable that is not set, must not mean all.
    """
    args = {name: value for name, value in typed.items() if value is not None}
    for name, value in args.items():
        if not str(value).strip():
            raise click.UsageError(f"{option_of(name)} is empty; leave it out for all.")
    for name, wrong in model.wrong(args, zone).items():
        raise click.UsageError(f"{option_of(name)}: {wrong.sentence}")
    _check_ids(model, args)
    query, notices = model.from_url(args, zone, **given)
    if notices:
        raise click.UsageError(notices[0])
    return query


def option_of(name: str) -> str:
    """Return what an argument is called on the command line."""
    return f"--{name.replace('_', '-')}"


def _check_ids(model: type[UrlFilter], args: Mapping[str, Any]) -> None:
    """Raise UsageError for an id of 0: in an address it means none, and who types it would be given something else."""
    for name, parameter in model.parameters().items():
        if isinstance(parameter, EntryNumber) and id_of(str(args.get(name, "")).strip()) == 0:
            raise click.UsageError(f"{option_of(name)}: ids begin with 1; leave it out if none is meant.")


def numbers(text: str, option: str) -> list[int]:
    """Return the ids of a list with commas; raises UsageError for anything else, an empty one too."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise click.UsageError(f"--{option} takes ids with commas, such as 3,7.")
    return sorted({int(part) for part in parts})
