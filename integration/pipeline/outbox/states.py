"""The states as SQL conditions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, exists, literal_column
from sqlalchemy.orm import aliased

from integration.models.delivery import Delivery
from integration.models.sql import by_index

# A bound parameter would keep SQLite from using the partial indexes, so the states stand as literals.
OPEN = Delivery.state.in_([literal_column(f"'{state}'") for state in ("waiting", "ready", "leased")])
READY = Delivery.state == literal_column("'ready'")
DEAD = Delivery.state == literal_column("'dead'")
LEASED = Delivery.state == literal_column("'leased'")
# As the index has it and nothing more: "partial = 1" would not be recognised. Only what is delivered is partial.
PARTIAL: ColumnElement[bool] = literal_column("delivery.partial")


def is_waiting(delivery: Any = Delivery) -> ColumnElement[bool]:
    """Return the condition that a delivery, or one of an alias, waits behind others of its person, or for them."""
    found: ColumnElement[bool] = delivery.state == literal_column("'waiting'")
    return found


WAITING = is_waiting()


def is_lead(delivery: Any = Delivery) -> ColumnElement[bool]:
    """Return the condition that a delivery, or one of an alias, goes before what waits of its person."""
    found: ColumnElement[bool] = delivery.state.in_([literal_column("'ready'"), literal_column("'leased'")])
    return found


#: Open deliveries of a connector in the order they came in, for `sql.by_index`; a query names OPEN and the connector.
OPEN_INDEX = "ix_delivery_open"
#: Those that are ready, in the order they are claimed; a query names READY and the connector.
READY_INDEX = "ix_delivery_ready"
#: What goes before others of its person; a query names `is_lead`, the connector, and the people where these are known.
LEAD_INDEX = "uq_delivery_lead"
#: What waits behind others of its person; a query names WAITING and the people.
WAITING_INDEX = "ix_delivery_waiting"
#: What is open, dead or partial of some records, told by source id; a query names OPEN, DEAD or PARTIAL. By an index of
#: all deliveries it would pass by all that was ever sent of them.
OPEN_RECORDS_INDEX, LETTERS_INDEX, PARTIAL_RECORDS_INDEX = (
    "ix_delivery_open_source",
    "uq_delivery_letter",
    "ix_delivery_partial_source",
)
#: Open deliveries of a run; a query names OPEN and the run.
OF_RUN_INDEX = "ix_delivery_run_open"
#: What became of a run's deliveries, in the order of their ids; a query names the run, a state, and that it is settled.
SETTLED_OF_RUN_INDEX = "ix_delivery_run_state"


def open_of_people(theirs: Select[Any]) -> tuple[Select[Any], Select[Any]]:
    """Return a query of some people's deliveries twice: for what goes before others, and for what waits behind that.

    Together they find what is open, each by an index of few rows.
    """
    leads = by_index(theirs.where(is_lead()), Delivery, LEAD_INDEX)
    return leads, by_index(theirs.where(WAITING), Delivery, WAITING_INDEX)


def brought_by_run() -> ColumnElement[bool]:
    """Return the condition that a lead, or what waits behind it, is of a run: a paused connector sends only these.

    The order of a person's deliveries is kept, so those before the run's own go out with it.
    """
    behind = aliased(Delivery)
    return Delivery.run_id.is_not(None) | exists().where(
        behind.connector_id == Delivery.connector_id,
        behind.person_key == Delivery.person_key,
        is_waiting(behind),
        behind.run_id.is_not(None),
    )
