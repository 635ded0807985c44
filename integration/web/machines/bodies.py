"""What machines get: the bodies of the API's answers, checked on their way out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

Moment = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Answer(BaseModel):
    """A part of an answer, made from a row or from values by name."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class ConnectorRow(Answer):
    """A connector and how many deliveries wait and have failed."""

    id: int
    name: str
    state: str
    waiting: int
    dead_letters: int


class Connectors(Answer):
    """The connectors of the token's organisation."""

    connectors: list[ConnectorRow]


class LogEntry(Answer):
    """An entry of the sync log."""

    id: int
    type: str
    object_id: str
    action: str
    status: str
    contact_id: int | None
    message: str
    delivery_id: int | None
    run_id: int | None
    at: Moment


class ListPage(Answer):
    """What a page of a list says: how many fit the filters, where `exact` false means more than `total`."""

    total: int
    exact: bool
    notices: list[str]


class LogPage(ListPage):
    """A page of the sync log."""

    entries: list[LogEntry]
    page: int
    pages: int


class DeliveryRow(Answer):
    """What every delivery says."""

    id: int
    kind: str
    source_id: str
    number: str
    event: str
    state: str
    result: str | None
    contact_id: int | None
    run_id: int | None
    error_code: str | None
    error: str | None


class RecordRow(DeliveryRow):
    """A record; `status` is the word of the Records page."""

    created_at: Moment
    started_at: Moment | None
    settled_at: Moment | None
    status: str


class Records(ListPage):
    """A page of records; go on with `before` = `older`."""

    records: list[RecordRow]
    older: int | None


class DeadLetterRow(DeliveryRow):
    """A dead letter and how often it was tried."""

    category: str | None
    attempts: int
    failures: int
    died_at: Moment | None
    failing_since: Moment | None


class DeadLetters(ListPage):
    """A page of dead letters; go on with `before` = `older`."""

    dead_letters: list[DeadLetterRow]
    older: int | None


class RunRow(Answer):
    """A run and its figures: pulled = pushed + skipped + failed + waiting + already.

    `waiting` is how many wait now or, of a run that has ended, waited then; `already` were on their way without it.
    A run that was asked to end or to rest keeps its state until it has, and is `being_cancelled` or `being_paused`.
    """

    id: int
    kind: str
    state: str
    being_cancelled: bool
    being_paused: bool
    trigger: str
    dry_run: bool
    options: dict[str, Any]
    correlation_id: str
    pulled: int
    pushed: int
    skipped: int
    failed: int
    waiting: int
    already: int
    calls: int
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    error: str | None


class Runs(ListPage):
    """A page of runs; go on with `before` = `older`."""

    runs: list[RunRow]
    older: int | None


class Progress(Answer):
    """How far a run is; `rate` is in records a second."""

    done: int
    expected: int | None
    waiting: int
    rate: float | None


class RunWithProgress(Answer):
    """A run and how far it is."""

    run: RunRow
    progress: Progress


class RunLineRow(Answer):
    """A line of a run."""

    id: int
    level: str
    text: str
    payload_file_id: int | None
    at: Moment


class RunLines(Answer):
    """Lines of a run; go on with `after` = `last`."""

    lines: list[RunLineRow]
    last: int


class RunNumber(Answer):
    """The id of the run that goes on or is being stopped."""

    run: int


class StartedRun(RunNumber):
    """The run that was started and what it was understood to do; a filter that is missing means all."""

    kind: str
    dry_run: bool
    options: dict[str, Any]


class Replayed(Answer):
    """How many were queued, were on their way already, and wait no more."""

    queued: int
    busy: int
    gone: int


class ErasureAsked(Answer):
    """An erasure was written down; its receipt tells how far it is."""

    erasure: int
    receipt: str


class ErasureReceipt(Answer):
    """What was erased where and when; nothing of the person but a hash of the address."""

    receipt: str
    state: str
    address_hash: str
    hash_is: str
    where: str
    asked_by: str
    asked_at: str
    started_at: str
    ended_at: str
    removed: dict[str, int]
    in_mautic: dict[str, Any]
    blocked: bool
    remains: list[str]
    waits_for: str


class MappingRemark(Answer):
    """What is to be said of a row, counted from 0: `kind` is bad, warn or info."""

    row: int
    kind: str
    sentence: str
    hint: str


class FieldMappingShown(Answer):
    """The rows of a field mapping, without what is as usual, and the version that they are, 0 for none."""

    version: int
    rows: list[dict[str, Any]]
    remarks: list[MappingRemark]


class FieldMappingSet(Answer):
    """What was changed, or would be, {"order → vat": [before, after]} in words, and the newest version."""

    version: int
    dry_run: bool
    changes: dict[str, list[Any]]
    remarks: list[MappingRemark]


class Problem(Answer):
    """What went wrong: `error` is a code or the name of the first field that is wrong, `fields` has all of them."""

    error: str
    sentence: str
    hint: str
    fields: dict[str, str] = {}


def answered(model: type[Answer], status: int = 200, **values: Any) -> ResponseReturnValue:
    """Return an answer of a model as JSON; moments are written with their offset."""
    made = model.model_validate(values)
    return jsonify(made.model_dump(mode="json")), status
