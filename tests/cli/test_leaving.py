"""Commands by which somebody or something goes for good: erase and uninstall."""

from __future__ import annotations

import zipfile
from pathlib import Path

from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.cli.conftest import Run


def test_a_person_is_erased_and_the_connector_uninstalled(
    run: Run, connected: str, store: StoreServer, mautic: MauticServer, tmp_path: Path
) -> None:
    store.shop.place_order(status="completed", billing={"first_name": "Ada", "email": "ada@example.com"})
    assert run("sync", connected, "--kind", "initial", "--wait").code == 0
    assert run("erase", "nobody", "--yes").code == 1
    assert run("erase", "ada@example.com").code == 2
    receipt = tmp_path / "receipt.txt"
    done = run("erase", "ADA@example.com", "--mautic", "delete", "--block", "--yes", "--json", "--output", str(receipt))
    assert (done.code, done.json["state"], done.json["remains"]) == (0, "done", [])
    assert done.json["removed"]["records"] == 1 and "ada" not in done.out.lower()
    assert done.json["receipt"] in receipt.read_text()
    assert not [each for each in mautic.state.contacts.values() if each.values.get("email") == "ada@example.com"]
    archive = tmp_path / "all.zip"
    gone = run("uninstall", connected, "--export", str(archive), "--yes", "--json")
    assert (gone.code, gone.json["deleted"]) == (0, True)
    assert "settings.json" in zipfile.ZipFile(archive).namelist()
    assert run("connectors", "--json").json == []
    assert run("audit", "verify").code == 0
