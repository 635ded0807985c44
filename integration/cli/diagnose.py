"""Commands that help to find a fault: the mapping tried on a record, and the support bundle."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import click

from integration.cli import console
from integration.operations.support import support_bundle
from integration.operations.support.diagnostics import mapping
from integration.streams import contacts, orders


@click.command()
@console.connector_argument
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file.")
def bundle(connector_id: int, output: Path | None) -> None:
    """Print a support bundle as JSON: versions, settings, failures and log, without secrets and e-mail addresses."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        text = support_bundle.as_json(support_bundle.build(services, connector, whole=True))
    if output is None:
        click.echo(text, nl=False)
        return
    console.write(output, text)
    click.echo(f"The support bundle is in {output}.")


@click.command(name="mapping")
@console.connector_argument
@click.option("--order", type=click.IntRange(1), help="Id of the order to try; without it the newest.")
@click.option("--customer", type=click.IntRange(1), help="Id of the customer to try; without it the newest.")
@console.as_json
def try_mapping(connector_id: int, order: int | None, customer: int | None, as_json: bool) -> None:
    """Map one order and one customer and send nothing; exit code 1 when a value would be lost, cut or refused."""
    given = {orders.KIND: order, contacts.KIND: customer}
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        tried = mapping.try_all(services, connector, {kind: number for kind, number in given.items() if number})
    rows = [mapping.as_dict(one) for one in tried]
    console.show(
        rows, as_json=as_json, text="\n\n".join(_text(one) for one in tried) or "Both modules are switched off."
    )
    if mapping.problems(tried):
        sys.exit(1)


def _text(one: mapping.Tried) -> str:
    rows: list[dict[str, Any]] = [
        {"field": f.alias, "state": f.state.value, "store": _short(f.store), "sent": _short(f.sent), "why": f.sentence}
        for f in one.fields
    ]
    lines = [f"{one.title or one.kind}: {one.sentence} {one.hint}".strip()]
    lines += [console.table(rows, ("field", "state", "store", "sent", "why"))] if rows else []
    lines += [f"Tags: {', '.join(one.tags)}"] if one.tags else []
    return "\n".join([*lines, *one.follow_ups])


def _short(value: object) -> str:
    return "" if value is None else textwrap.shorten(str(value), 60, placeholder="…")


COMMANDS: tuple[click.Command, ...] = (bundle, try_mapping)
