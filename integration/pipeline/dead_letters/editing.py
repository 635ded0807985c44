"""Edits a dead letter and sends it again with a person's values (X2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import update
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import IntegrationError, SettingError
from integration.models.delivery import Delivery, DeliveryState
from integration.models.ledger import LedgerEntry
from integration.pipeline import outbox
from integration.pipeline.audited import Audit, Diff, unaudited
from integration.pipeline.dead_letters import checking
from integration.pipeline.dead_letters.corrections import corrected, editable
from integration.pipeline.services import Services
from integration.record_ids import number_of

NOT_DEAD = IntegrationError(
    "not_dead", "Only a dead letter can be edited.", "Look at the record's page: it has been sent, or is on its way."
)
ON_ITS_WAY = IntegrationError(
    "busy", "The same change is on its way already, so nothing was changed.", "Wait for it, then look again."
)


def edit(services: Services, row: Delivery, values: Mapping[str, str], *, audit: Audit[Diff] = unaudited) -> Diff:
    """Keep what differs from the store's values, send the record again, and return {field: [before, after]}.

    Raises SettingError naming the field when the corrected record still cannot be read or has no address to be sent
    to, IntegrationError when it is not a dead letter any more.
    """
    if row.state != DeliveryState.DEAD:
        raise NOT_DEAD
    before = editable(row.payload or {})
    changes = {name: value for name, value in values.items() if name in before and value != before[name]}
    if not changes:
        raise SettingError(
            "values", "No value was changed.", "Change the value that was refused, or send it again as it is."
        )
    checking.check(row, changes)
    person_key = checking.change_of(row, corrected(row.payload or {}, changes)).person_key or row.person_key
    diff = {name: [before[name], value] for name, value in changes.items()}
    _send(services, row, changes, person_key, lambda session: audit(session, diff))
    return diff


def _send(
    services: Services,
    row: Delivery,
    changes: Mapping[str, str],
    person_key: str,
    audit: Callable[[Session], None],
) -> None:
    now = services.clock.now()
    with services.db.write() as session:
        outbox.correct(session, row.id, changes, person_key)
        number = number_of(row.source_id)
        if streams.of(row.kind).in_ledger and number is not None and person_key != row.person_key:
            # Lifetime values are summed over the orders of the address that the contact gets.
            mine = (LedgerEntry.connector_id == row.connector_id) & (LedgerEntry.order_id == number)
            session.execute(update(LedgerEntry).where(mine).values(person_key=person_key))
        if not outbox.requeue(session, now, row.connector_id, [row.id]).queued:
            raise ON_ITS_WAY
        services.on_accept(session, row.connector_id)
        audit(session)
    services.wakeup.ring(row.connector_id)
