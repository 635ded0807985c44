"""The commands that help to find a fault."""

from __future__ import annotations

import json
from pathlib import Path

from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.cli.conftest import Run

EMAIL = "ada@example.com"


def test_the_mapping_of_an_order_is_printed_and_nothing_is_sent(
    run: Run, connected: str, store: StoreServer, mautic: MauticServer
) -> None:
    order = store.shop.place_order(status="completed", billing={"email": EMAIL, "city": "Rome"})
    before = len(mautic.state.contacts)
    tried = run("mapping", connected, "--order", str(order["id"]), "--json")
    assert tried.code == 1
    one = next(each for each in tried.json if each["kind"] == "order")
    assert {row["alias"]: row["state"] for row in one["fields"]}["city"] == "PRESENT"
    shown = run("mapping", connected)
    assert "UNKNOWN_IN_MAUTIC" in shown.out and f"order {order['id']}" in shown.out
    assert len(mautic.state.contacts) == before


def test_the_bundle_is_printed_or_written(run: Run, connected: str, store: StoreServer, tmp_path: Path) -> None:
    printed = run("bundle", connected)
    assert printed.code == 0 and printed.json["connector"]["store_url"] == store.url
    assert store.credentials.secret not in printed.out
    file = tmp_path / "bundle.json"
    assert run("bundle", connected, "--output", str(file)).out == f"The support bundle is in {file}.\n"
    assert json.loads(file.read_text())["connector"] == printed.json["connector"]
    refused = run("bundle", connected, "--output", str(tmp_path / "no" / "such" / "folder"))
    assert (refused.code, "cannot be written" in refused.err) == (1, True)
    assert run("bundle", "99").code == 1
