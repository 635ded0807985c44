"""Backup, restore and schema from the command line."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.cli.conftest import Run
from tests.postgres import free_port


def test_a_backup_is_put_back_by_commands_and_the_connector_let_go_on(
    quick: Run, connected: str, tmp_path: Path
) -> None:
    made = quick("backup", str(tmp_path), "--json").json
    assert made["rows"]["connector"] == 1 and Path(made["file"]).parent == tmp_path
    assert "fingerprint " + made["keys"][0] in quick("backup", str(tmp_path / "b.zip")).out
    port = str(free_port())
    again = quick("restore", made["file"], PORT=port)
    assert again.code == 1 and "There is a database already" in again.err
    url = f"sqlite:///{tmp_path / 'second.sqlite'}"
    done = quick("restore", made["file"], DATABASE_URL=url, PORT=port)
    assert done.code == 0 and f"confirm-store {connected} --same    # Shop" in done.out
    [entry] = quick("audit", "list", "--limit", "1", "--json", DATABASE_URL=url).json
    assert (entry["action"], entry["entity"]) == ("RESTORED", f"backup {Path(made['file']).name}")
    assert "read_only" in quick("connectors", DATABASE_URL=url).out
    assert "is active" in quick("confirm-store", connected, "--same", DATABASE_URL=url).out


def test_a_backup_without_a_database_says_so_and_makes_none(quick: Run, tmp_path: Path) -> None:
    said = quick("backup", str(tmp_path / "a.zip"))
    assert said.code == 1 and "There is no database of woo-mautic yet" in said.err
    assert not (tmp_path / "a.zip").exists() and not (tmp_path / "instance" / "woo-mautic.sqlite").exists()


def test_the_schema_goes_back_for_an_older_version_and_forth_again(quick: Run, connected: str, tmp_path: Path) -> None:
    newest = quick("migrate", "--json").json["schema"]
    with socket.socket() as served:
        served.bind(("127.0.0.1", 0))
        served.listen()
        port = str(served.getsockname()[1])
        assert "Stop woo-mautic" in quick("migrate", "--to=0027", "--yes", PORT=port).err
    port = str(free_port())
    assert quick("migrate", "--to=0027", PORT=port).code == 2
    assert quick("migrate", "--to=0027", "--yes", PORT=port).out.strip() == "The database has the schema 0027."
    assert quick("migrate", "--json").json["schema"] == newest
    assert [row["id"] for row in quick("connectors", "--json").json] == [int(connected)]
