"""Alerts (F3): what is wrong, who is told, silence, and from when on something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.field_errors import titles
from integration.models.alert import Alert, AlertGroup
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.user import Role
from integration.operations.monitoring import alerts
from integration.operations.monitoring.alerts import editing, groups, mail, notices, silence
from integration.operations.monitoring.alerts.group_settings import GroupSettings
from integration.operations.monitoring.alerts.silence import SilenceRequest, SilenceSubject
from integration.operations.monitoring.alerts.wording import COMMON, one_line, path
from integration.web.frame.access import connector_view, me, needs, own_connectors, record
from integration.web.frame.form_version import error_status
from integration.web.frame.forms import SettingForm, form_of
from integration.web.frame.services import services
from integration.web.modules.form import filled, module_form, respond

bp = Blueprint("alerts", __name__, url_prefix="/alerts")
_GROUP = form_of(GroupSettings, ticked=("connector_ids", "causes"))
_SILENCE, _SILENCE_END = form_of(SilenceRequest), form_of(SilenceSubject)
_THRESHOLDS = module_form(("alerts.failing_percent", "alerts.failing_least", "alerts.periods", "alerts.dead_letters"))


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as the list shows it; `hook` is its webhook's address, masked."""

    group: AlertGroup
    hook: str
    connectors: list[str]
    causes: list[str]


@bp.get("")
@needs(Role.ADMIN)
def index() -> ResponseReturnValue:
    """Show what is wrong, who is told, and what was wrong before."""
    now = services().clock.now()
    with services().db.read() as session:
        mine = _connectors(session)
        found = groups.of(session, me().organisation_id)
        body = render_template(
            "administration/alerts/index.html",
            open=[alert for number in mine for alert in alerts.open_alerts(session, number)],
            history=alerts.history(session, mine),
            silences=silence.silences(session, now, mine),
            messages=notices.recent(session, [group.id for group in found]),
            rows=[_row(group, mine) for group in found],
            names={group.id: group.name for group in found},
            connectors=mine,
            thresholds={number: services().modules(each).alerts for number, each in mine.items()},
            has_mail=bool(services().deployment.smtp_host),
            set_it=mail.SET_IT,
            place_of=_place,
            **_WORDS,
        )
    return body


def _place(alert: Alert) -> str:
    """Return the address of the page where an alert's cause is mended."""
    return f"{request.script_root}/{path(alert)}"


_WORDS: Mapping[str, Any] = {"causes": alerts.CAUSES, "common": COMMON, "spans": silence.SPANS}


def _connectors(session: Session) -> dict[int, Connector]:
    """Return the connectors of the user's own organisation by id; a super admin sees others' on their pages."""
    return {each.id: each for each in own_connectors(session) if each.organisation_id == me().organisation_id}


def _row(group: AlertGroup, connectors: Mapping[int, Connector]) -> GroupRow:
    chosen = [connectors[number].name for number in group.connector_ids if number in connectors]
    return GroupRow(group, _masked(group), chosen, [alerts.CAUSES.get(cause, cause) for cause in group.causes])


def _masked(group: AlertGroup) -> str:
    try:
        return groups.masked(groups.webhook_of(services().vault, group))
    except SettingError:
        return "cannot be read with this SECRET_KEY"


# -- groups -----------------------------------------------------------------------------------------------------------


@bp.get("/groups/new")
@needs(Role.ADMIN)
def new_group() -> ResponseReturnValue:
    """Ask for a new group."""
    return _form(None, _GROUP(data={"emails": [me().email], "connector_ids": [], "causes": []}))


@bp.post("/groups")
@needs(Role.ADMIN)
def create_group() -> ResponseReturnValue:
    """Make a group."""
    form = _GROUP()
    try:
        with services().db.write() as session:
            group = editing.new_group(services().clock.now(), me().organisation_id)
            diff = editing.save(services(), session, group, form.typed(), _connectors(session))
            record(session, AuditAction.CREATED, _entity(group), diff)
    except SettingError as error:
        form.refuse(error)
        return _form(None, form)
    flash(f"The group “{group.name}” was made. What is wrong now is told to it within a minute.", "ok")
    return redirect(url_for("alerts.index"))


@bp.get("/groups/<int:group_id>")
@needs(Role.ADMIN)
def edit_group(group_id: int) -> ResponseReturnValue:
    """Show a group to change it."""
    with services().db.read() as session:
        group = _group_or_404(session, group_id)
    return _form(group, _GROUP(formdata=None, obj=group, webhook="").loaded(_stored(group)))


def _stored(group: AlertGroup) -> dict[str, Any]:
    return {name: getattr(group, name) for name in GroupSettings.model_fields if "webhook" not in name}


@bp.post("/groups/<int:group_id>")
@needs(Role.ADMIN)
def save_group(group_id: int) -> ResponseReturnValue:
    """Change a group."""
    form = _GROUP()
    try:
        with services().db.write() as session:
            group = _group_or_404(session, group_id)
            form.loaded(_stored(group))
            diff = editing.save(services(), session, group, form.typed(), _connectors(session))
            form.keep(diff, titles(GroupSettings))
            if diff:
                record(session, AuditAction.UPDATED, _entity(group), diff)
    except SettingError as error:
        form.refuse(error)
        with services().db.read() as session:
            return _form(_group_or_404(session, group_id), form)
    flash(f"The group “{group.name}” was saved." if diff else "Nothing was changed.", "ok")
    return redirect(url_for("alerts.index"))


@bp.get("/groups/<int:group_id>/delete")
@needs(Role.ADMIN)
def delete_group(group_id: int) -> ResponseReturnValue:
    """Ask before a group is deleted."""
    with services().db.read() as session:
        group = _group_or_404(session, group_id)
    return render_template("administration/alerts/delete.html", group=group)


@bp.post("/groups/<int:group_id>/delete")
@needs(Role.ADMIN)
def delete_group_post(group_id: int) -> ResponseReturnValue:
    """Delete a group and the messages that still wait for it."""
    with services().db.write() as session:
        group = _group_or_404(session, group_id)
        session.delete(group)
        record(session, AuditAction.DELETED, _entity(group), {"emails": [group.emails, None]})
    flash(f"The group “{group.name}” was deleted; it is told nothing more.", "ok")
    return redirect(url_for("alerts.index"))


@bp.post("/groups/<int:group_id>/test")
@needs(Role.ADMIN)
def test_group(group_id: int) -> ResponseReturnValue:
    """Owe a group a test message."""
    with services().db.write() as session:
        group = _group_or_404(session, group_id)
        notices.tell_test(services(), session, group)
    flash(f"A test message to “{group.name}” leaves within ten seconds. What came of it stands under Messages.", "ok")
    return redirect(url_for("alerts.index", _anchor="messages"))


def _group_or_404(session: Session, group_id: int) -> AlertGroup:
    group = session.get(AlertGroup, group_id)
    if group is None or group.organisation_id != me().organisation_id:
        abort(404)
    return group


def _form(group: AlertGroup | None, form: SettingForm) -> ResponseReturnValue:
    with services().db.read() as session:
        names = {number: each.name for number, each in _connectors(session).items()}
    hook = _masked(group) if group is not None and group.webhook else ""
    body = render_template(
        "administration/alerts/group.html", group=group, hook=hook, form=form, names=names, causes=alerts.CAUSES
    )
    return (body, error_status(form.error)) if form.error else body


def _entity(group: AlertGroup) -> str:
    return f"alert group {one_line(group.name, 100)}"


# -- silence ----------------------------------------------------------------------------------------------------------


@bp.post("/silences")
@needs(Role.ADMIN)
def begin_silence() -> ResponseReturnValue:
    """Tell nobody of a cause for a time."""
    try:
        with services().db.write() as session:
            mine = _connectors(session)
            asked = SilenceRequest.checked(_SILENCE().typed(), mine)
            row = silence.begin(
                session, services().clock.now(), asked.connector_id, asked.cause, asked.hours, me().email
            )
            diff = {"silent until": [None, row.until]}
            record(session, AuditAction.UPDATED, f"alerts: {asked.name}", diff, mine[asked.connector_id])
    except SettingError as error:
        flash(str(error), "bad")
        return redirect(url_for("alerts.index"))
    flash(f"Nobody is told of {_quoted(asked)} for {silence.SPANS[asked.hours]}.", "ok")
    return redirect(url_for("alerts.index"))


@bp.post("/silences/end")
@needs(Role.ADMIN)
def end_silence() -> ResponseReturnValue:
    """Tell people again; what is still wrong is told then."""
    try:
        with services().db.write() as session:
            mine = _connectors(session)
            asked = SilenceSubject.checked(_SILENCE_END().typed(), mine)
            row = silence.end(session, asked.connector_id, asked.cause)
            if row is not None:
                diff = {"silent until": [row.until, None]}
                record(session, AuditAction.UPDATED, f"alerts: {asked.name}", diff, mine[asked.connector_id])
    except SettingError as error:
        flash(str(error), "bad")
        return redirect(url_for("alerts.index"))
    flash(f"The silence is over: people are told of {_quoted(asked)} again.", "ok")
    return redirect(url_for("alerts.index"))


def _quoted(asked: SilenceSubject) -> str:
    return f"“{asked.name}”" if asked.cause else asked.name


# -- thresholds -------------------------------------------------------------------------------------------------------


@bp.get("/thresholds/<int:connector_id>")
@needs(Role.ADMIN)
@connector_view
def thresholds(connector: Connector) -> ResponseReturnValue:
    """Show from when on something is wrong with a connector."""
    return _thresholds(connector, filled(_THRESHOLDS, connector))


@bp.post("/thresholds/<int:connector_id>")
@needs(Role.ADMIN)
@connector_view
def save_thresholds(connector: Connector) -> ResponseReturnValue:
    """Keep other thresholds; they hold from the next look on."""
    return respond(_THRESHOLDS, connector, _thresholds, "alerts.thresholds")


def _thresholds(connector: Connector, form: SettingForm) -> str:
    return render_template("administration/alerts/thresholds.html", connector=connector, form=form)
