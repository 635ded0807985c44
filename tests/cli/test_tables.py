"""Tables of commands, in direct calls."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from integration.cli import console
from tests.cli.conftest import Run

AT = datetime(2026, 11, 28, 22, 52, 7, 529700, tzinfo=UTC)


def test_moments_are_written_with_their_zone() -> None:
    assert console.table([{"read_at": AT}], ("read_at",)).split("\n") == ["read at", "28 Nov 2026, 22:52:07 UTC"]
    assert "28 Nov 2026, 23:52:07 CET" in console.table([{"at": AT}], ("at",), ZoneInfo("Europe/Rome"))
    assert console.table([{"at": None, "id": 7}], ("at", "id")).split() == ["at", "id", "7"]


def test_the_lists_of_the_installation_have_the_zones_of_their_owners(quick: Run) -> None:
    assert quick("token", "make", "Till", "--scope", "write", "--days", "30").code == 0
    [shown] = quick("token", "list").out.splitlines()[1:]
    assert shown.rstrip().endswith("UTC") and "+00:00" not in shown
    assert quick("token", "list", "--json").json[0]["expires_at"].endswith("+00:00")
