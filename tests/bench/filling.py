"""A large book, written by the database itself: records, attempts, runs, log entries, with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, text

from integration.identity import person_key_of
from integration.models import Attempt, Base, Database, Delivery, Run, RunLine, SyncLogEntry

KNOWN = "known@example.com"
SPAN = timedelta(days=80)


@dataclass(frozen=True)
class Book:
    """How many rows there are; the first run, an import, has brought half of all records."""

    records: int
    entries: int
    attempts: int
    runs: int
    lines: int

    @property
    def of_a_run(self) -> int:
        """Return how many records each run after the first has brought."""
        return max(self.records // self.runs, 1)


def book_of(records: int, entries: int | None = None, attempts: int | None = None) -> Book:
    """Return the sizes of a book of so many records; the last run has a fifth as many lines."""
    return Book(records, entries or records, attempts or records // 5, min(5_000, records // 5), records // 5)


@dataclass(frozen=True)
class Words:
    """What the two databases say differently; `i` is the number of the row."""

    series: str
    hexed: str
    moment: str
    hour: str

    @classmethod
    def of(cls, db: Database) -> Words:
        if db.sqlite:
            return cls(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)",
                "printf('%032x', {})",
                "strftime('%Y-%m-%d %H:%M:%S.000000', :base, '+' || CAST(({}) AS INTEGER) || ' seconds')",
                "strftime('%Y-%m-%d %H:00:00.000000', {})",
            )
        return cls(
            "WITH n(i) AS (SELECT generate_series(0, :last))",
            "lpad(to_hex({}), 32, '0')",
            "(CAST(:base AS timestamptz) + ({}) * interval '1 second')",
            "date_trunc('hour', {})",
        )


def fill(db: Database, connector_id: int, newest: datetime, book: Book) -> None:
    """Write a connector's book, evenly over the days before a moment, in an otherwise empty database."""
    words, records = Words.of(db), book.records
    base = (newest - SPAN).astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")
    common = {"connector": connector_id, "base": base, "known": person_key_of(KNOWN)}
    halves = {"half": records // 2, "of_a_run": book.of_a_run}
    for model, statement, rows, more in (
        (Run, _runs(words), book.runs, {}),
        (Delivery, _records(words), records, {**halves, "known_every": max(records // 50, 20)}),
        (Attempt, _attempts(words), book.attempts, {"each": max(records // book.attempts, 1)}),
        (SyncLogEntry, _entries(words), book.entries, {"per": max(book.entries * 5 // records, 1)}),
        (RunLine, _lines(words), book.lines, {"run": book.runs}),
    ):
        values = {name: value for name, value in {**common, **more}.items() if f":{name}" in statement}
        _write(db, model, statement, {**values, "last": rows - 1, "step": SPAN.total_seconds() / rows})
    _count(db, words)
    if db.sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _write(db: Database, model: type[Base], statement: str, values: dict[str, object]) -> None:
    """Fill a table with its indexes away: they are built faster than they are kept."""
    table = model.__table__
    assert isinstance(table, Table)
    with db.engine.connect() as connection:
        connection.execution_options(write=True)
        for index in table.indexes:
            index.drop(connection)
        connection.execute(text(statement), values)
        for index in table.indexes:
            index.create(connection)
        connection.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As autovacuum and time would have left it.
        connection.exec_driver_sql(f"{'ANALYZE' if db.sqlite else 'VACUUM ANALYZE'} {table.name}")


def _person(words: Words) -> str:
    return f"CASE WHEN i % :known_every = 7 THEN :known ELSE {words.hexed.format('i / 5')} END"


def _runs(words: Words) -> str:
    at = words.moment.format("i * :step")
    return f"""
    INSERT INTO run (id, connector_id, kind, state, trigger, options, phase, cursor, correlation_id, pulled, accepted,
        pushed, skipped, failed, calls, store_calls, created_at, started_at, ended_at, error_code, error)
    {words.series}
    SELECT i + 1, :connector, CASE WHEN i % 50 = 0 THEN 'full' ELSE 'incremental' END,
        CASE WHEN i % 40 = 1 THEN 'FAILED' ELSE 'COMPLETED' END, 'schedule', '{{}}', '', '{{}}',
        {words.hexed.format("i")}, 200, 200, 150, 40, 10, 7, 3, {at}, {at}, {at}, '', '' FROM n
    """


def _records(words: Words) -> str:
    at = words.moment.format("i * :step")
    return f"""
    INSERT INTO delivery (connector_id, run_id, kind, source_id, number, event, identity, person_key, origin, priority,
        state, due_at, attempts, payload_at, modified_at, created_at, settled_at, started_at, died_at, result, partial,
        contact_id, error_code, error, category, discard_reason)
    {words.series}
    SELECT :connector, CASE WHEN i < :half THEN 1 ELSE 2 + (i - :half) / (2 * :of_a_run) END,
        CASE WHEN i % 3 = 0 THEN 'contact' ELSE 'order' END, CAST(i AS VARCHAR(20)),
        CASE WHEN i % 3 = 0 THEN '' ELSE CAST(i AS VARCHAR(20)) END, 'completed', CAST(i AS VARCHAR(20)),
        {_person(words)}, 'full', 2,
        CASE WHEN i % 20 = 0 THEN 'dead' WHEN i % 20 < 4 THEN 'skipped' ELSE 'delivered' END,
        {at}, 1, {at}, {at}, {at}, {at}, {at}, CASE WHEN i % 20 = 0 THEN {at} END,
        CASE WHEN i % 20 = 0 THEN '' WHEN i % 20 < 4 THEN 'skipped' WHEN i % 5 = 0 THEN 'created' ELSE 'updated' END,
        i % 500 = 9, i / 5 + 1,
        CASE WHEN i % 20 = 0 THEN 'code_' || CAST(i / 20 % 12 AS VARCHAR(4))
            WHEN i % 20 < 4 THEN 'unchanged' ELSE '' END,
        CASE WHEN i % 20 = 0 THEN 'Mautic refused the value of a field.' ELSE '' END,
        CASE WHEN i % 20 = 0 THEN CASE WHEN i % 40 = 0 THEN 'permanent' ELSE 'transient' END ELSE '' END, '' FROM n
    """


def _attempts(words: Words) -> str:
    return f"""
    INSERT INTO attempt (connector_id, delivery_id, at, seconds, outcome, error_code, message, correlation_id)
    {words.series}
    SELECT :connector, i * :each + 1, {words.moment.format("i * :step")}, 0.4, 'delivered', '', 'Contact updated.',
        'abc-1' FROM n
    """


def _entries(words: Words) -> str:
    return f"""
    INSERT INTO sync_log (connector_id, at, type, object_id, source_id, action, status, contact_id, message, person_key)
    {words.series}
    SELECT :connector, {words.moment.format("i * :step")}, CASE WHEN i % 3 = 0 THEN 'contact' ELSE 'order' END,
        CAST(i / :per AS VARCHAR(20)), CAST(i / :per AS VARCHAR(20)),
        CASE i % 4 WHEN 0 THEN 'create_or_update' WHEN 1 THEN 'create_note' WHEN 2 THEN 'skip'
            ELSE 'add_to_segment' END,
        CASE WHEN i % 50 = 0 THEN 'error' ELSE 'success' END, i / (5 * :per) + 1, 'Contact updated; an entry.',
        {words.hexed.format("i / (5 * :per)")} FROM n
    """


def _lines(words: Words) -> str:
    return f"""
    INSERT INTO run_line (run_id, at, level, text)
    {words.series}
    SELECT :run, {words.moment.format("i * :step")}, CASE WHEN i % 100 = 0 THEN 'error' ELSE 'info' END,
        'Batch of 50 records to Mautic: 48 written, 2 skipped.' FROM n
    """


def _count(db: Database, words: Words) -> None:
    state = "CASE WHEN partial THEN 'partial' ELSE state END"
    created, at = words.hour.format("created_at"), words.hour.format("at")
    with db.write() as session:
        session.execute(
            text(
                "INSERT INTO record_count (connector_id, hour, kind, state, result, records) "
                f"SELECT connector_id, {created}, kind, {state}, result, COUNT(*) FROM delivery GROUP BY 1, 2, 3, 4, 5"
            )
        )
        session.execute(
            text(
                "INSERT INTO sync_log_count (connector_id, hour, type, action, status, entries) "
                f"SELECT connector_id, {at}, type, action, status, COUNT(*) FROM sync_log GROUP BY 1, 2, 3, 4, 5"
            )
        )
