"""Commands for the audit log."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.cli import console
from integration.errors import SettingError
from integration.models.audit import AuditAction, AuditEntry
from integration.models.organisation import Organisation
from integration.operations import audit as trail
from integration.pipeline.connectors.time_zones import written, zone_of_organisation

_COLUMNS = ("time", "actor", "ip", "action", "entity", "connector", "changed")
_organisation = click.option("--organisation", metavar="NAME", help="Only this organisation's entries.")


@click.group()
def audit() -> None:
    """Read the audit log and prove that nobody changed it."""


@audit.command()
@_organisation
@console.as_json
def verify(organisation: str | None, as_json: bool) -> None:
    """Check that no entry was altered, put in or taken out; exit code 1 when one was.

    That the newest entries were cut off cannot be seen: note down the newest hash to be able to tell.
    """
    with console.opened() as services, services.db.read() as session:
        names = _names(session)
        chains = trail.verify(session, _id_of(names, organisation))
    rows = [_chain(each, names) for each in chains]
    console.show(rows, as_json=as_json, text="\n".join(_said(row) for row in rows))
    if not all(each.ok for each in chains):
        sys.exit(1)


@audit.command(name="list")
@_organisation
@click.option("--actor", help="A part of the e-mail address.")
@click.option("--action", type=click.Choice([each.value for each in AuditAction], case_sensitive=False))
@click.option("--limit", type=click.IntRange(1, 1000), default=25, show_default=True)
@console.as_json
def list_entries(organisation: str | None, actor: str | None, action: str | None, limit: int, as_json: bool) -> None:
    """Print the newest entries."""
    with console.opened() as services, services.db.read() as session:
        wanted = _id_of(_names(session), organisation)
        query = trail.AuditQuery(organisation_id=wanted, actor=actor or "", action=(action or "").upper())
        entries = trail.read(session, query, limit)
        owners = {entry.organisation_id for entry in entries}
        zones = {each: zone_of_organisation(session, each, services.deployment.timezone) for each in owners}
    if as_json:
        console.show([_row(entry) | {"diff": entry.diff} for entry in entries], as_json=True, text="")
    else:
        rows = [_row(entry) | {"time": written(entry.at, zones[entry.organisation_id])} for entry in entries]
        click.echo(console.table(rows, _COLUMNS))


def _names(session: Session) -> dict[int, str]:
    return {row.id: row.name for row in session.scalars(select(Organisation).order_by(Organisation.id))}


def _id_of(names: Mapping[int, str], name: str | None) -> int | None:
    """Return the organisation's id, None when none was asked for; raises SettingError for an unknown one."""
    if name is None:
        return None
    found = next((number for number, each in names.items() if each == name), None)
    if found is None:
        raise SettingError("organisation", f"There is no organisation “{name}”.", f"There are: {_listed(names)}.")
    return found


def _listed(names: Mapping[int, str]) -> str:
    return ", ".join(f"“{name}”" for name in names.values()) or "none yet"


def _chain(chain: trail.Chain, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "organisation": names.get(chain.organisation_id or 0, "no organisation"),
        "ok": chain.ok,
        "checked": chain.checked,
        "not_covered": chain.uncovered,
        "retired": chain.retired,
        "newest_hash": chain.head,
        "broken_id": chain.broken_id,
        "problem": chain.problem,
    }


def _said(row: Mapping[str, Any]) -> str:
    if not row["ok"]:
        return f"{row['organisation']}: BROKEN at entry {row['broken_id']}. {row['problem']}"
    parts = [f"{row['organisation']}: verified, {row['checked']:,} entries"]
    if row["not_covered"]:
        parts.append(f"{row['not_covered']:,} from before the chain are not covered")
    if row["retired"]:
        parts.append(f"{row['retired']:,} older ones were removed by retention")
    if row["newest_hash"]:
        parts.append(f"newest hash {row['newest_hash']}")
    return "; ".join(parts) + "."


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "time": entry.at.isoformat(timespec="seconds"),
        "actor": entry.actor,
        "ip": entry.ip,
        "action": entry.action,
        "entity": entry.entity,
        "connector": entry.connector_id,
        "changed": ", ".join(entry.diff),
    }


COMMANDS: tuple[click.Command, ...] = (audit,)
