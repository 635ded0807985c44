"""A large book, written by the database itself: records, attempts, runs, log entries, with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, text

from integration.identity import person_key_of
from integration.models import Attempt, Base, Database, Delivery, Run, RunLine, SyncLogEntry

KNOWN = "known@example.com"
SPAN = timedelta(days=80)
RUNS = 5_000
LINES = 200_000


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


def fill(db: Database, connector_id: int, newest: datetime, *, records: int, entries: int) -> None:
    """Write `records` deliveries, a fifth as many attempts, runs with lines, and `entries` log rows."""
    words = Words.of(db)
    base = (newest - SPAN).astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")
    common = {"connector": connector_id, "base": base, "known": person_key_of(KNOWN)}
    _write(db, Run, _runs(words), {**common, "last": RUNS - 1, "step": SPAN.total_seconds() / RUNS})
    _write(db, Delivery, _records(words), {**common, "last": records - 1, "step": SPAN.total_seconds() / records})
    _write(
        db, Attempt, _attempts(words), {**common, "last": records // 5 - 1, "step": 5 * SPAN.total_seconds() / records}
    )
    _write(db, SyncLogEntry, _entries(words), {**common, "last": entries - 1, "step": SPAN.total_seconds() / entries})
    _write(db, RunLine, _lines(words), {**common, "last": LINES - 1, "step": 1.0})
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
    return f"CASE WHEN i % 200000 = 7 THEN :known ELSE {words.hexed.format('i / 5')} END"


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
    SELECT :connector, i / 10000 + 1, CASE WHEN i % 3 = 0 THEN 'contact' ELSE 'order' END, CAST(i AS VARCHAR(20)),
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
    SELECT :connector, i * 5 + 1, {words.moment.format("i * :step")}, 0.4, 'delivered', '', 'Contact updated.', 'abc'
    FROM n
    """


def _entries(words: Words) -> str:
    return f"""
    INSERT INTO sync_log (connector_id, at, type, object_id, source_id, action, status, contact_id, message, person_key)
    {words.series}
    SELECT :connector, {words.moment.format("i * :step")}, CASE WHEN i % 3 = 0 THEN 'contact' ELSE 'order' END,
        CAST(i / 5 AS VARCHAR(20)), CAST(i / 5 AS VARCHAR(20)),
        CASE i % 4 WHEN 0 THEN 'create_or_update' WHEN 1 THEN 'create_note' WHEN 2 THEN 'skip'
            ELSE 'add_to_segment' END,
        CASE WHEN i % 50 = 0 THEN 'error' ELSE 'success' END, i / 25 + 1, 'Contact updated; an entry.',
        {words.hexed.format("i / 25")} FROM n
    """


def _lines(words: Words) -> str:
    return f"""
    INSERT INTO run_line (run_id, at, level, text)
    {words.series}
    SELECT {RUNS}, {words.moment.format("i * :step")}, CASE WHEN i % 100 = 0 THEN 'error' ELSE 'info' END,
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
