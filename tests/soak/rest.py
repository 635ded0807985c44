"""What is left in the app's database, asked in plain SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.soak.count import Found
from tests.soak.shoppers import REFUSED_EMAIL

#: What must be none in the end -> how it is counted.
OPEN = {
    "open deliveries": "SELECT count(*) FROM delivery WHERE state IN ('waiting', 'ready', 'leased')",
    # The schedule begins one every 15 seconds; that those come to their end is told by `polls`.
    "open runs": "SELECT count(*) FROM run WHERE state IN ('PENDING', 'RUNNING') AND trigger <> 'schedule'",
    "holds": "SELECT count(*) FROM hold WHERE released_at IS NULL",
    "unanswered calls": "SELECT count(*) FROM unanswered_call",
    # Of an order that is in the trash nobody asks any more; were it restored, its mark would be looked up.
    "marks begun and not done": """
        SELECT count(*) FROM follow_up_mark AS mark WHERE mark.state = 'started' AND NOT EXISTS (
            SELECT 1 FROM order_ledger AS entry WHERE entry.connector_id = mark.connector_id
            AND CAST(entry.order_id AS TEXT) = mark.order_id AND entry.status = 'trash')""",
}
DEAD = """SELECT source_id, kind, event, error_code, error FROM delivery
          WHERE state = 'dead' AND (payload IS NULL OR CAST(payload AS TEXT) NOT LIKE :own) ORDER BY id"""
PARTIAL = "SELECT source_id, event, error FROM delivery WHERE partial ORDER BY id"

#: Tables whose rows are kept when something was wrong.
STORY = ("delivery", "order_ledger", "follow_up_mark", "hold", "run", "run_line", "contact_link")


class Rest:
    """The app's database, looked at from outside."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url)

    def figures(self) -> dict[str, int]:
        """Return how much is open, by name; all are 0 when it is quiet."""
        with self._engine.connect() as connection:
            return {name: int(connection.execute(text(query)).scalar_one()) for name, query in OPEN.items()}

    def polls(self) -> int:
        """Return how many runs of the schedule have come to a good end."""
        query = "SELECT count(*) FROM run WHERE state = 'COMPLETED' AND trigger = 'schedule'"
        with self._engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def totals(self) -> dict[str, int]:
        """Return deliveries and runs by state."""
        with self._engine.connect() as connection:
            rows = [
                (f"{table} {state}", count)
                for table in ("delivery", "run")
                for state, count in connection.execute(
                    text(f"SELECT state, count(*) FROM {table} GROUP BY state ORDER BY state")
                )
            ]
        return dict(rows)

    def keep(self, path: Path) -> None:
        """Write the rows that tell the story to a file of JSON lines: the database itself may be gone by then."""
        with self._engine.connect() as connection, path.open("w", encoding="utf-8") as file:
            for table in STORY:
                for row in connection.execute(text(f"SELECT * FROM {table}")).mappings():
                    file.write(json.dumps({"table": table, **row}, default=str, ensure_ascii=False) + "\n")

    def differences(self) -> Iterator[Found]:
        """Tell all that must not be left."""
        for name, count in self.figures().items():
            if count:
                yield Found("left", f"{count} {name}")
        with self._engine.connect() as connection:
            own = {"own": f"%{REFUSED_EMAIL}%"}
            for number, kind, event, code, error in connection.execute(text(DEAD), own):
                yield Found("dead letter", f"{kind} {number} {event}: {code} {error[:160]}")
            for number, event, error in connection.execute(text(PARTIAL)):
                yield Found("partial", f"order {number} {event}: {error[:160]}")
