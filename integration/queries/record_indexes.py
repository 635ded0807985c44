"""Which index a list of records is read by: the one that leaves the fewest rows to be looked through.

Each gives a connector's rows, or a run's, newest first, but for the statuses of UNORDERED, of which there are few.
"""

from __future__ import annotations

from integration.queries.record_filters import RecordQuery

_BY_STATUS = {
    "partial": "ix_delivery_partial",
    "failed": "ix_delivery_dead",
    "uncertain": "ix_delivery_letter_category",
    "extraction": "ix_delivery_letter_cause",
    "progress": "ix_delivery_token",
    "waiting": "ix_delivery_open",
    "retrying": "ix_delivery_open",
}
_BY_STATUS_AND_KIND = {"failed": "ix_delivery_letter_kind", "uncertain": "ix_delivery_letter_both"}
#: Their index holds several causes or all connectors, so what it gives is sorted.
UNORDERED = ("extraction", "progress")


#: Index of all records -> the column that it has before the id; the others are of few rows.
_LAST = {
    "ix_delivery_page": "connector_id",
    "ix_delivery_kind": "kind",
    "ix_delivery_state": "state",
    "ix_delivery_state_kind": "kind",
    "ix_delivery_result": "result",
    "ix_delivery_result_kind": "kind",
    "ix_delivery_person_key": "person_key",
    "ix_delivery_run": "run_id",
}


def last_column(query: RecordQuery) -> str:
    """Return the column by which the query's index is ordered before the id, "" where that does not matter."""
    return _LAST.get(of(query), "")


def of(query: RecordQuery) -> str:
    """Return the index of the query's narrowest filter, "" where ids are known or the database is to choose."""
    if query.source or query.batch:
        return ""
    if query.email or query.person_key:
        return "ix_delivery_person_key"
    if query.run:
        return _of_run(query.status)
    if query.status in _BY_STATUS:
        return (_BY_STATUS_AND_KIND if query.kind else {}).get(query.status, _BY_STATUS[query.status])
    name = "result" if query.operation else "state" if query.status else ""
    return "_".join(part for part in ("ix_delivery", name, "kind" if query.kind else "") if part) + _rest(query, name)


def _rest(query: RecordQuery, name: str) -> str:
    return "" if name or query.kind else "_page"


def _of_run(status: str) -> str:
    if status in ("progress", "waiting", "retrying"):
        return "ix_delivery_run_open"
    if status == "partial":
        return "ix_delivery_partial"
    return "ix_delivery_run_state" if status else "ix_delivery_run"
