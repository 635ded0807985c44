"""The own field mapping from the command line: exported, set from a file, refused with the row, and audited."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Run

ROWS = [
    {"kind": "order", "alias": "position", "source": "meta_data._vat", "format": "upper"},
    {"kind": "contact", "alias": "company", "source": "made.full_name", "default": "nobody"},
]


def test_rows_are_set_from_a_file_and_printed_as_they_came(quick: Run, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ROWS), "utf-8")
    done = quick("field-mapping", "set", connected, str(file), "--json")
    assert done.code == 0, done.err
    assert done.json["mapping.order → position"] == [None, "meta_data._vat as UPPER CASE"]
    assert quick("field-mapping", "show", connected, "--json").json == ROWS
    assert "goes before it" in quick("field-mapping", "show", connected).out
    file.write_text(json.dumps([*ROWS, {**ROWS[0], "source": "meta_data._mautic_woo_x"}]), "utf-8")
    refused = quick("field-mapping", "set", connected, str(file))
    assert (refused.code, "Row 3: “_mautic_woo_x” is meta data" in refused.err) == (1, True)
    file.write_text("{", "utf-8")
    assert "is not JSON" in quick("field-mapping", "set", connected, str(file)).err
    [version] = quick("field-mapping", "versions", connected, "--json").json
    assert (version["version"], version["author"].startswith("command line: ")) == (1, True)
    with closing(sqlite3.connect(tmp_path / "instance" / "woo-mautic.sqlite")) as database:
        entries = database.execute("SELECT actor FROM audit_entry WHERE entity = 'field mapping of Shop'").fetchall()
    assert entries == [(version["author"],)]
