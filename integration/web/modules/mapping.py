"""Field mapping: any value of the store to any field of Mautic, tried on a real record, with versions (P16, X17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import IntegrationError, SettingError
from integration.events import Kind
from integration.mapping.own_checks import lost
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.models.user import Role
from integration.operations.support.diagnostics import known_paths, own_rows
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors, field_list, holds, mapping_versions
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.dry_run import resending
from integration.plans import MauticField
from integration.settings import MappingModule
from integration.settings.mapping import CONDITIONS, FORMATS, rows_of
from integration.store.sanitizing import is_number
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.form_version import ChangedMeanwhile, error_status
from integration.web.frame.services import services
from integration.web.modules import mapping_form
from integration.web.operations import run_start
from integration.words import span

bp = Blueprint("mapping", __name__, url_prefix="/connectors/<int:connector_id>/mapping")

#: Mautic's list is read again for an act on the page when it is older.
LIST_AGE_MAX = timedelta(minutes=1)
_NEW_ROW = {"kind": "order", "alias": "", "source": ""}
_UNCHANGEABLE = ("email",)


@dataclass(frozen=True, slots=True)
class Draft:
    """The form as it is shown: rows as text, the version that they were made from, and what became of the last act.

    `opened` is the place of a row that stands open.
    """

    rows: Sequence[Mapping[str, Any]]
    version: int
    error: SettingError | None = None
    tried: own_rows.RowsTried | None = None
    trial: tuple[str, str] = ("order", "")
    opened: int = -1
    unread: str = ""


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """Show the rows that are saved, the versions, and what a change still owes."""
    rows = services().modules(connector).mapping.rows
    with services().db.read() as session:
        version = mapping_versions.newest(session, connector.id)
    return _page(connector, Draft(mapping_form.stored(rows), version))


@bp.post("")
@needs(Role.SUPPORT)
@connector_view
def act(connector: Connector) -> ResponseReturnValue:
    """Add a row, take one out, try the rows or save them; nothing but saving keeps anything."""
    saved = services().modules(connector).mapping.rows
    rows = mapping_form.typed(request.form, saved)
    what, _, place = request.form.get("act", "save").partition(":")
    typed_version = request.form.get("version", "")
    trial = (request.form.get("trial_kind", ""), request.form.get("trial_id", ""))
    draft = Draft(rows, int(typed_version) if is_number(typed_version) else 0, trial=trial)
    if what == "add":
        return _page(connector, replace(draft, rows=[*rows, _NEW_ROW], opened=len(rows)))
    if what == "remove":
        return _page(connector, replace(draft, rows=[row for at, row in enumerate(rows) if str(at) != place]))
    connector, unread = _with_list(connector)
    draft = replace(draft, unread=unread)
    return _try(connector, draft) if what == "try" else _save(connector, draft)


def _with_list(connector: Connector) -> tuple[Connector, str]:
    """Return the connector with Mautic's list as it is now, and why it is an old one, "" where it is not."""
    try:
        return field_list.look(services(), connector, max_age=LIST_AGE_MAX), ""
    except IntegrationError as error:
        return connector, error.sentence


def _try(connector: Connector, draft: Draft) -> ResponseReturnValue:
    kind, number = draft.trial
    try:
        rows = rows_of(draft.rows)
        record_id = _record_id(number)
    except SettingError as error:
        return _page(connector, replace(draft, error=error)), 400
    modules = services().modules(connector).model_copy(update={"mapping": MappingModule.model_construct(rows=rows)})
    wanted = (
        Kind(kind)
        if kind in known_paths.mapped_kinds()
        else Kind(rows[0].kind)
        if rows
        else known_paths.mapped_kinds()[0]
    )
    tried = own_rows.try_rows(services(), connector, wanted, record_id, modules)
    return _page(connector, replace(draft, tried=tried))


def _record_id(typed: str) -> int | None:
    text = typed.strip()
    if text and not is_number(text):
        raise SettingError("trial_id", f"“{text[:40]}” is no id of a record.", "Write digits, or leave it empty.")
    return int(text) if text else None


def _save(connector: Connector, draft: Draft) -> ResponseReturnValue:
    if not me().may(Role.ADMIN):
        abort(403)
    try:
        diff = _configured(connector, rows_of(draft.rows), draft.version)
    except SettingError as error:
        version = int(error.version) if isinstance(error, ChangedMeanwhile) else draft.version
        return _page(connector, replace(draft, error=error, version=version)), error_status(error)
    flash("The mapping was saved." if diff else "Nothing has changed.", "ok")
    return redirect(url_for("mapping.index", connector_id=connector.id))


def _configured(connector: Connector, rows: Sequence[Any], version: int, back_to: int | None = None) -> Diff:
    def audit(session: Session, diff: Diff) -> None:
        _unchanged_meanwhile(session, connector.id, version)
        record(session, AuditAction.UPDATED, "field mapping", diff, connector)

    changes = {"mapping.rows": list(rows)}
    return connectors.configure(services(), connector.id, changes, audit=audit, author=me().email, back_to=back_to)


def _unchanged_meanwhile(session: Session, connector_id: int, version: int) -> None:
    """Raise ChangedMeanwhile where somebody else has saved a version since the page was made."""
    before = mapping_versions.overtaken(session, connector_id, version)
    if not before:
        return
    other = mapping_versions.at(session, connector_id, before)
    who = other.author if other and other.author else "Somebody"
    sentence = f"{who} has saved version {before} of the mapping meanwhile."
    error = ChangedMeanwhile("rows", sentence, "Save again to overwrite it, or load the page again to keep it.")
    error.version = str(before)
    raise error


@bp.post("/back")
@needs(Role.ADMIN)
@connector_view
def back(connector: Connector) -> ResponseReturnValue:
    """Take up the rows of an earlier version; that is a new version."""
    number = request.form.get("number", "")
    with services().db.read() as session:
        found = mapping_versions.at(session, connector.id, int(number)) if is_number(number) else None
        newest = mapping_versions.newest(session, connector.id)
    if found is None:
        abort(404)
    try:
        diff = _configured(connector, mapping_versions.rows(found), newest, found.number)
        flash(f"Version {found.number} is in use again." if diff else "Nothing has changed.", "ok")
    except SettingError as error:
        flash(f"Version {found.number} cannot be used any more: {error}", "bad")
    return redirect(url_for("mapping.index", connector_id=connector.id, _anchor="versions"))


@bp.post("/resend")
@needs(Role.SUPPORT)
@connector_view
def resend(connector: Connector) -> ResponseReturnValue:
    """Start the run that reads whom the changes concern, and sends those that come out different."""
    with services().db.read() as session:
        cost = resending.owed(session, connector, services().modules(connector))
    if cost is None:
        flash("Nothing waits to be sent again.", "ok")
        return redirect(url_for("mapping.index", connector_id=connector.id))
    options = {"only": list(cost.modules)}
    run_id = run_start.begin(connector, RunKind.BULK, diff={"options": [None, options]}, options=options)
    if run_id is None:
        return redirect(url_for("mapping.index", connector_id=connector.id))
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


@bp.get("/paths")
@needs(Role.SUPPORT)
@connector_view
def paths(connector: Connector) -> ResponseReturnValue:
    """Give the paths that the newest records of the store have, for the inputs to suggest."""
    found, why = known_paths.of_kinds(services(), connector) if connector.store_url else ({}, "")
    return render_template("modules/mapping/_paths.html", paths=found, why=why)


def _page(connector: Connector, draft: Draft) -> str:
    modules = services().modules(connector)
    fields = fields_from_json(connector.fields or [])
    with services().db.read() as session:
        versions = mapping_versions.listed(session, connector.id)
        cost = resending.owed(session, connector, modules)
        hold = holds.current(session, connector.id, "mautic")
    return render_template(
        "modules/mapping/index.html",
        connector=connector,
        draft=draft,
        rows=mapping_form.views(draft.rows, fields, draft.error),
        fields=_choosable(fields),
        kinds={kind.value: streams.labels(kind).noun for kind in reversed(known_paths.mapped_kinds())},
        formats=FORMATS,
        conditions=CONDITIONS,
        lost=lost(modules, fields),
        versions=versions,
        cost=cost,
        duration=span(cost.seconds) if cost and cost.seconds else "",
        unread=draft.unread or (hold.sentence if hold else ""),
        paths={kind: known_paths.made(kind) for kind in known_paths.mapped_kinds()},
        may_save=me().may(Role.ADMIN),
        may_try=me().may(Role.SUPPORT),
    )


def _choosable(fields: Mapping[str, MauticField]) -> dict[str, str]:
    """Return alias -> how a field is shown in the list, those that a row may fill."""
    found = [each for each in fields.values() if each.alias not in _UNCHANGEABLE and not each.unique]
    return {each.alias: _shown(each) for each in sorted(found, key=lambda one: one.label.casefold())}


def _shown(field: MauticField) -> str:
    length = f", {field.limit} characters" if field.limit else ""
    hidden = ", not published" if not field.published else ""
    return f"{field.label or field.alias} – {field.alias} ({field.type}{length}{hidden})"
