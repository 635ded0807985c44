"""Settings from the command line: exported, imported, reset; shown before, asked, and audited."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from integration.settings.wootic import PREFIX
from tests.cli.conftest import Run


def test_settings_are_exported_imported_and_reset(quick: Run, connected: str, tmp_path: Path) -> None:
    value = quick("settings", "export", connected).json
    value["modules"]["orders"]["notes"] = True
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(value), "utf-8")
    shown = quick("settings", "import", connected, str(file), "--preview")
    assert (shown.code, shown.out.strip()) == (0, "orders.notes: False -> True")
    assert quick("settings", "import", connected, str(file)).code == 2
    assert quick("settings", "export", connected).json["modules"]["orders"]["notes"] is False
    assert quick("settings", "import", connected, str(file), "--yes", "--json").json == {"orders.notes": [False, True]}
    assert quick("settings", "export", connected).json == value
    assert quick("settings", "reset", connected, "--module=contacts", "--yes").out.strip() == "Nothing would change."
    assert quick("settings", "reset", connected, "--module=orders", "--yes").code == 0
    assert quick("settings", "export", connected).json["modules"]["orders"]["notes"] is False
    file.write_text('{"modules": {"orders": {"nots": 1}}}', "utf-8")
    refused = quick("settings", "import", connected, str(file), "--yes")
    assert (refused.code, "There is no setting “orders.nots”" in refused.err) == (1, True)
    with closing(sqlite3.connect(tmp_path / "instance" / "woo-mautic.sqlite")) as database:
        entries = database.execute("SELECT diff FROM audit_entry WHERE entity = 'settings of Shop'").fetchall()
    diffs = [json.loads(diff) for (diff,) in entries]
    assert diffs == [{"orders.notes": [False, True]}, {"orders.notes": [True, False]}]


def test_wootics_password_is_never_printed(quick: Run, connected: str, tmp_path: Path) -> None:
    file = tmp_path / "options.csv"
    rows = [("mautic_username", "ada"), ("mautic_password", "pass-word-of-wootic"), ("mautic_add_note", "yes")]
    file.write_text(
        "option_name,option_value\n" + "".join(f"{PREFIX}{name},{value}\n" for name, value in rows), "utf-8"
    )
    done = quick("settings", "import", connected, str(file), "--connection", "--yes")
    assert done.code == 0, done.err
    assert "mautic_user:  -> ada" in done.out
    assert "pass-word" not in done.out + done.err
