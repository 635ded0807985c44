"""Privacy: a person is erased by their address, and a receipt proves it (X12)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.erasure import Erasure
from integration.models.user import Role
from integration.operations import erasure
from integration.operations.erasure import Asked
from integration.url_filters import id_of
from integration.web.frame.access import me, needs, own_connectors, record
from integration.web.frame.services import services

bp = Blueprint("privacy", __name__, url_prefix="/privacy")
_MIMETYPES = {"txt": "text/plain", "json": "application/json"}


@bp.get("")
@needs(Role.ADMIN)
def index() -> str:
    """Show the form and the receipts."""
    return _page()


@bp.post("/look")
@needs(Role.ADMIN)
def look() -> ResponseReturnValue:
    """Say what would be removed, and ask once more; nothing is changed."""
    try:
        asked = _asked()
        found = erasure.preview(services(), me().organisation_id, asked)
    except SettingError as error:
        return _page(error), 400
    where = _name_of(asked)
    return render_template(
        "administration/privacy/look.html", asked=asked, found=found, where=where, choices=erasure.CHOICES
    )


@bp.post("")
@needs(Role.ADMIN)
def erase() -> ResponseReturnValue:
    """Write the erasure down; the page of its receipt shows how far it is."""
    made: list[str] = []

    def audit(session: Session, row: Erasure) -> None:
        made.append(row.receipt)
        told = {"address_hash": row.address_hash, "in_mautic": row.in_mautic, "block": row.block}
        diff = {name: [None, value] for name, value in told.items()}
        record(session, AuditAction.ERASURE_ASKED, f"erasure {row.receipt}", diff, _connector(row.connector_id))

    try:
        erasure.ask(services(), me().organisation_id, _asked(), me().email, audit=audit)
    except SettingError as error:
        return _page(error), 400
    return redirect(url_for("privacy.receipt", receipt=made[0]))


@bp.get("/receipts/<receipt>")
@needs(Role.ADMIN)
def receipt(receipt: str) -> str:
    """Show a receipt; while the erasure goes on the page can be loaded again."""
    row, where = _receipt(receipt)
    return render_template("administration/privacy/receipt.html", row=row, where=where, choices=erasure.CHOICES)


@bp.get("/receipts/<receipt>/receipt.txt")
@needs(Role.ADMIN)
def as_text(receipt: str) -> Response:
    """Give a receipt as a text."""
    row, where = _receipt(receipt)
    return _file(row, erasure.as_text(row, where), "txt")


@bp.get("/receipts/<receipt>/receipt.json")
@needs(Role.ADMIN)
def as_json(receipt: str) -> Response:
    """Give a receipt as JSON."""
    row, where = _receipt(receipt)
    return _file(row, erasure.as_json(row, where), "json")


@bp.post("/unblock")
@needs(Role.ADMIN)
def unblock() -> ResponseReturnValue:
    """Take an address up again that was blocked."""

    def audit(session: Session, address_hash: str) -> None:
        record(session, AuditAction.UNBLOCKED, "blocked address", {"address_hash": [address_hash, None]})

    email = request.form.get("email", "")
    if erasure.unblock(services(), me().organisation_id, email, audit=audit):
        flash("The address is taken up again: its next order, cart or change is synced.", "ok")
    else:
        flash("This address is not blocked.", "warn")
    return redirect(url_for("privacy.index"))


def _file(row: Erasure, body: str, form: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="erasure-{row.receipt}.{form}"'}
    return Response(body, mimetype=_MIMETYPES[form], headers=headers)


def _asked() -> Asked:
    """Return what was typed; raises SettingError (email, connector, in_mautic)."""
    form = request.form
    chosen = form.get("connector", "")
    number = id_of(chosen) if chosen != "all" else None
    if chosen != "all" and number is None:
        raise SettingError("connector", "Say where the person is erased.", "Choose a connector, or all.")
    return erasure.checked(form.get("email", ""), number, form.get("in_mautic", ""), form.get("block") == "1")


def _page(error: SettingError | None = None) -> str:
    with services().db.read() as session:
        rows = erasure.listed(session, me().organisation_id)
        connectors = {str(each.id): each.name for each in _mine(session)}
    return render_template(
        "administration/privacy/index.html",
        rows=rows,
        connectors={"all": "All connectors", **connectors},
        choices=erasure.CHOICES,
        error=error,
        typed=request.form,
    )


def _mine(session: Session) -> list[Connector]:
    return [each for each in own_connectors(session) if each.organisation_id == me().organisation_id]


def _connector(number: int | None) -> Connector | None:
    with services().db.read() as session:
        return session.get(Connector, number) if number is not None else None


def _name_of(asked: Asked) -> str:
    connector = _connector(asked.connector_id)
    return f"the connector “{connector.name}”" if connector else "all connectors"


def _receipt(receipt: str) -> tuple[Erasure, str]:
    with services().db.read() as session:
        row = erasure.find(session, me().organisation_id, receipt)
        if row is None:
            abort(404)
        return row, erasure.where_of(session, row)
