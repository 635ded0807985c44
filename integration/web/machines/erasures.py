"""The API's part for erasing people: asked for by a program, proved by a receipt (X12)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.erasure import Erasure
from integration.operations import erasure as erasure_job
from integration.web.frame.services import services
from integration.web.machines import api, authentication, bodies, request_bodies
from integration.web.machines.authentication import NOT_FOUND, connector_of_token, needs_scope, unusable

#: The API's own, with two calls more.
bp = api.bp


@bp.post("/erasures")
@needs_scope("erase")
def erase() -> ResponseReturnValue:
    """Write an erasure down; it begins within seconds."""
    body = request_bodies.received()
    try:
        wanted = request_bodies.Erase.model_validate(body)
        asked = erasure_job.checked(wanted.email, wanted.connector_id, wanted.in_mautic, wanted.block)
    except ValidationError as error:
        raise request_bodies.wrong(error, request_bodies.Erase, body) from None
    except SettingError as error:
        raise unusable({error.name: error.sentence}, error.hint) from None
    token = authentication.token()
    with services().db.read() as session:
        connector = connector_of_token(session, wanted.connector_id) if wanted.connector_id is not None else None
    made: list[str] = []

    def audit(session: Session, row: Erasure) -> None:
        made.append(row.receipt)
        told = {"address_hash": row.address_hash, "in_mautic": row.in_mautic, "block": row.block}
        authentication.record(session, AuditAction.ERASURE_ASKED, f"erasure {row.receipt}", connector, **told)

    number = erasure_job.ask(services(), token.organisation_id, asked, f"API: {token.name}", audit=audit)
    return bodies.answered(bodies.ErasureAsked, 202, erasure=number, receipt=made[0])


@bp.get("/erasures/<int:erasure_id>")
@needs_scope("erase")
def receipt(erasure_id: int) -> ResponseReturnValue:
    """Give the receipt of an erasure."""
    with services().db.read() as session:
        row = session.get(Erasure, erasure_id)
        if row is None or row.organisation_id != authentication.token().organisation_id:
            raise NOT_FOUND
        values = erasure_job.as_dict(row, erasure_job.where_of(session, row))
    return bodies.answered(bodies.ErasureReceipt, **values)
