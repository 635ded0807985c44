"""The API's part for a person's own field mapping: read, tried on Mautic's fields, and set (P16)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.orm import Session

from integration.errors import IntegrationError, SettingError
from integration.field_errors import by_path
from integration.mapping.own_checks import remarks
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors, field_list, mapping_versions
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.settings import MappingRow
from integration.web.frame.services import services
from integration.web.machines import authentication, bodies, erasures, request_bodies
from integration.web.machines.authentication import Refused, connector_of_token, needs_scope, unusable

#: The API's own and that of erasures, with two calls more.
bp = erasures.bp
_HINT = "Read the field mapping to see how its rows are written."


@bp.get("/connectors/<int:connector_id>/field-mapping")
@needs_scope("settings")
def field_mapping(connector_id: int) -> ResponseReturnValue:
    """Give the rows that are in use, with what is to be said of each."""
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
        version = mapping_versions.newest(session, connector_id)
    rows = services().modules(connector).mapping.rows
    shown = [row.exported() for row in rows]
    said = _remarks(connector, rows)
    return bodies.answered(bodies.FieldMappingShown, version=version, rows=shown, remarks=said)


@bp.put("/connectors/<int:connector_id>/field-mapping")
@needs_scope("settings")
def set_field_mapping(connector_id: int) -> ResponseReturnValue:
    """Set all rows, checked as on the page and kept as a version, or tell what would change."""
    body = request_bodies.received()
    with services().db.read() as session:
        connector = connector_of_token(session, connector_id)
    try:
        wanted = request_bodies.FieldMapping.model_validate(body)
        if wanted.rows:
            # Without an answer the last list serves, as for the command.
            with suppress(IntegrationError):
                connector = field_list.look(services(), connector)
        diff = _set(connector, wanted)
    except ValidationError as error:
        raise unusable(by_path(error), _HINT) from None
    except SettingError as error:
        wrong = {each.name.removeprefix("mapping."): str(each) for each in (error, *error.others)}
        raise unusable(wrong, _HINT) from None
    with services().db.read() as session:
        version = mapping_versions.newest(session, connector_id)
    said = _remarks(connector, wanted.rows)
    return bodies.answered(
        bodies.FieldMappingSet, version=version, dry_run=wanted.dry_run, changes=_changes(diff), remarks=said
    )


def _set(connector: Connector, wanted: request_bodies.FieldMapping) -> Diff:
    changes = {"mapping.rows": list(wanted.rows)}
    if wanted.dry_run:
        return connectors.previewed(services(), connector, changes)

    def audit(session: Session, diff: Diff) -> None:
        _still(session, connector.id, wanted.version)
        authentication.record_diff(session, AuditAction.UPDATED, "field mapping", connector, diff)

    author = f"API: {authentication.token().name}"
    return connectors.configure(services(), connector.id, changes, audit=audit, author=author)


def _still(session: Session, connector_id: int, version: int | None) -> None:
    """Raise Refused (409) where the rows were made from a version that is not the newest any more."""
    other = mapping_versions.overtaken(session, connector_id, version) if version is not None else 0
    if other:
        sentence = f"Version {other} of the mapping was saved meanwhile, so nothing was changed."
        raise Refused(409, "version", sentence, "Read it again and send your rows with its version.")


def _changes(diff: Diff) -> dict[str, list[Any]]:
    return {name.removeprefix("mapping."): list(pair) for name, pair in diff.items()}


def _remarks(connector: Connector, rows: Sequence[MappingRow]) -> list[dict[str, Any]]:
    fields = fields_from_json(connector.fields or [])
    return [
        {"row": place, "kind": each.kind, "sentence": each.sentence, "hint": each.hint}
        for place, row in enumerate(rows)
        for each in remarks(row, fields)
    ]
