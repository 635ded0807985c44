"""Every page that lists, filters, searches or adds up the big tables, for a book that `bench.filling` wrote."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.events import Kind
from integration.identity import person_key_of
from integration.operations.monitoring.activity import KINDS as ACTIVITY_KINDS
from integration.pipeline.dead_letters.filters import CATEGORIES, STATUSES as LETTER_STATUSES
from integration.queries.record_filters import OPERATIONS
from integration.queries.record_statuses import STATUSES
from integration.queries.run_records import STATUSES as RUN_STATUSES
from integration.queries.sync_log_filters import ACTIONS, STATUSES as LOG_STATUSES
from tests.bench.filling import KNOWN

HERE = "/connectors/{connector}"
RECORDS, LETTERS, LOG = f"{HERE}/records", f"{HERE}/dead-letters", f"{HERE}/tools/log"
#: The last one is a kind that no record of the book has.
_KINDS = (Kind.ORDER.value, Kind.CONTACT.value, Kind.CART.value)
_DATES = "since={since}&until={until}"
_ALL_DATES = "since={first}&until={until}"
_DAYS = "since={first_day}&until={last_day}"


def _records() -> dict[str, str]:
    """Return the list of records by each filter, and by pairs of those that tell the least apart."""
    asked = {
        "first page and cards": "",
        "next page": "before={middle}",
        "by source id": "source={middle}",
        "by part of a source id": "source={beginning}",
        "by e-mail": f"email={KNOWN}",
        "by e-mail and status": f"email={KNOWN}&status=failed",
        "by run": "run={run}",
        "by run and status": "run={run}&status=failed",
        "by dates": _DATES,
        "by dates to the minute": "since={since_minute}&until={until_minute}",
        "by dates, status and entity type": f"{_DATES}&status=skipped&kind=contact",
        "by batch": "batch={second}",
        "all connectors": "connector=all",
        "all connectors, by status": "connector=all&status=failed",
    }
    asked |= {f"by status {status}": f"status={status}" for status in STATUSES}
    asked |= {f"by entity type {kind}": f"kind={kind}" for kind in _KINDS}
    asked |= {f"by operation {operation}": f"operation={operation}" for operation in OPERATIONS}
    asked["by status, kind and operation"] = "status=success&kind=contact&operation=created"
    asked["by operation that nothing has, and kind"] = "operation=deleted&kind=order"
    return {f"records, {name}": f"{RECORDS}?{query}" for name, query in asked.items()}


def _letters() -> dict[str, str]:
    asked = {
        "groups and first page": "",
        "next page": "before={middle}",
        "of one cause": "code=code_3",
        "of one cause and kind": "code=code_3&kind=contact",
        "of a cause that nothing has": "code=none",
        "by source id": "source={beginning}",
        "by dates": _DATES,
        "by category and kind": "category=permanent&kind=order",
        "by category, kind and dates": f"category=transient&kind=contact&{_DATES}",
    }
    asked["of one cause, category and dates"] = f"code=code_3&category=transient&{_DATES}"
    asked["by dates, next page"] = f"before={{middle}}&{_DATES}"
    asked |= {
        f"by many dates, {name}": f"{query}&{_ALL_DATES}"
        for name, query in {
            "cause": "code=code_3",
            "cause and kind": "code=code_3&kind=contact",
            "a cause that nothing has": "code=none",
            "category and kind": "category=permanent&kind=order",
            "category": "category=transient",
            "kind": "kind=contact",
            "a kind that nothing has": f"kind={Kind.CART.value}",
            "a category that nothing has": "category=unknown",
        }.items()
    }
    asked |= {f"by status {status}": f"status={status}" for status in LETTER_STATUSES}
    asked |= {f"by dates and status {status}": f"status={status}&{_DATES}" for status in LETTER_STATUSES}
    asked |= {
        f"by dates, cause and status {status}": f"status={status}&code=code_3&kind=order&{_DATES}"
        for status in LETTER_STATUSES
    }
    asked |= {f"by category {category}": f"category={category}" for category in CATEGORIES}
    asked |= {f"by entity type {kind}": f"kind={kind}" for kind in _KINDS}
    return {f"dead letters, {name}": f"{LETTERS}?{query}" for name, query in asked.items()}


def _log() -> dict[str, str]:
    asked = {
        "first page": "",
        "middle page": "page={middle_page}",
        "last page": "page=100000000",
        "by object": "object={middle}",
        "by e-mail": f"contact={KNOWN}",
        "by contact": "contact={contact}",
        "by days": _DAYS,
        "by days and status": f"{_DAYS}&status=error",
        "by days, action and type": f"{_DAYS}&action=skip&type=contact",
        "by text": "text=entry",
        "by text that nothing has": "text=nothing-has-this",
        "by text and status": "text=entry&status=error",
        "by text that few have": "text={middle}",
        "by text that few have, and status": "text={middle}&status=error",
        "by text, last page": "text=entry&page=100000000",
        "by status, type and action": "status=error&type=contact&action=create_note",
        "by status and type, middle page": "status=success&type=order&page={middle_page}",
    }
    asked |= {f"by status {status}": f"status={status}" for status in LOG_STATUSES}
    asked |= {f"by action {action}": f"action={action}" for action in ("create_note", "skip", "verify")}
    asked |= {f"by type {kind}": f"type={kind}" for kind in _KINDS}
    pairs = [(status, action) for status in LOG_STATUSES for action in ACTIONS if action in ("create_note", "verify")]
    asked |= {f"by status {status} and action {action}": f"status={status}&action={action}" for status, action in pairs}
    return {f"sync log, {name}": f"{LOG}?{query}" for name, query in asked.items()}


def _activity() -> dict[str, str]:
    asked = {
        "first page": "",
        "all connectors": "scope=all",
        "by days": _DAYS,
        "next page": "before={place}",
        "by days and kind": f"{_DAYS}&kind=dead",
    }
    asked |= {f"by kind {kind}": f"kind={kind}" for kind in ACTIVITY_KINDS}
    return {f"activity, {name}": f"{HERE}/activity?{query}" for name, query in asked.items()}


def _runs() -> dict[str, str]:
    asked = {
        "runs, list": "",
        "runs, by kind": "?kind=full",
        "runs, by kind that none has": "?kind=bulk",
        "runs, by state": "?state=FAILED",
        "runs, by trigger": "?trigger=sched",
        "runs, by correlation": "?correlation=0000",
        "runs, by dates": f"?{_DATES}",
        "runs, a run with many lines": "/{last_run}",
        "runs, its errors": "/{last_run}?level=error",
        "runs, its lines with a text": "/{last_run}?text=nothing-has-this",
        "runs, a run's records": "/{run}/records",
    }
    asked |= {f"runs, a run's records, {status}": f"/{{run}}/records?status={status}" for status in RUN_STATUSES}
    return {name: f"{HERE}/runs{rest}" for name, rest in asked.items()}


#: Every status with dates and with each entity type: plans of the same shapes as the statuses alone.
PAIRS = {
    **{f"records, by dates and status {status}": f"{RECORDS}?{_DATES}&status={status}" for status in STATUSES},
    **{
        f"records, by status {status} and {kind}": f"{RECORDS}?status={status}&kind={kind}"
        for status in STATUSES
        for kind in _KINDS
    },
}
PAGES = {
    **_records(),
    "records, by failures, kind and dates": f"{RECORDS}?{_DATES}&status=failed&kind=order",
    "records, by doubts and kind": f"{RECORDS}?status=uncertain&kind=order",
    "records, one record": f"{RECORDS}/{{middle}}",
    **_letters(),
    **_log(),
    **_activity(),
    **_runs(),
    "search, order number": "/search?q={middle}",
    "search, beginning of an order number": "/search?q=order+{beginning}",
    "search, nothing": "/search?q=nothing-has-this",
    "search, e-mail": f"/search?q={KNOWN}",
    "search, contact id": "/search?q=contact+{contact}",
    "search, correlation id": "/search?q=abcdef01",
    "timeline of a person": f"{HERE}/people/{person_key_of(KNOWN)}",
    "timeline of an order": f"{HERE}/orders/{{middle}}",
    "overview": f"{HERE}/",
    "connectors": "/connectors",
    "storage": "/storage",
    "audit log": "/audit",
    "alerts": "/alerts",
    "clear, what it would hide": f"{HERE}/tools/clear?scope=all",
    "clear, what older days would hide": f"{HERE}/tools/clear?scope=older&days=40",
}


def values_for(connector_id: int, now: datetime, records: int, runs: int) -> dict[str, object]:
    """Return what the addresses name in a book of so many records and runs whose newest moment is `now`."""
    middle, begin, end = records // 2, now - timedelta(days=50), now - timedelta(days=43)
    # Neither a contact nor a dead letter, so that its number is an order's.
    middle -= next(back for back in range(60) if (middle - back) % 3 and (middle - back) % 20 > 4)
    return {
        "connector": connector_id,
        "middle": middle,
        "beginning": str(middle)[:3],
        "contact": middle // 25 + 1,
        "run": 1,
        "last_run": runs,
        "first": f"{now - timedelta(days=80):%Y-%m-%dT00:00}",
        "since": f"{begin:%Y-%m-%dT00:00}",
        "until": f"{end:%Y-%m-%dT00:00}",
        "since_minute": f"{begin:%Y-%m-%dT05:17}",
        "until_minute": f"{end:%Y-%m-%dT07:41}",
        "first_day": f"{begin:%Y-%m-%d}",
        "last_day": f"{end:%Y-%m-%d}",
        "second": f"{begin:%Y-%m-%dT05:17:30}",
        "middle_page": max(records // 50, 1),
        "place": f"{begin:%Y%m%dT%H%M%S%f}-70-1",
    }
