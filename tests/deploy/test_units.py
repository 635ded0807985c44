"""The units for systemd: what they start is there, they are hardened alike, and they wait as long as is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from integration.cli.command_modules import MODULES

FOLDER = Path(__file__).parents[2] / "docs" / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
PROGRAM = "/opt/woo-mautic/.venv/bin/woo-mautic"
#: gunicorn gives requests 30 s, then the engine's threads have 30 s more (cli/server.py, engines/worker.py).
LONGEST_END_S = 60


def options(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_runs_commands_that_there_are_as_a_user_who_can_do_little(unit: Path) -> None:
    has = options(unit)
    for line in has["ExecStart"] + has.get("ExecStartPre", []):
        program, name, *_ = line.split()
        assert (program, name in MODULES) == (PROGRAM, True)
    assert (has["User"], has["UMask"], has["StateDirectoryMode"]) == (["woo-mautic"], ["0077"], ["0700"])
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables"):
        assert has[name] == ["yes"], name
    assert (has["ProtectSystem"], has["CapabilityBoundingSet"]) == (["strict"], [""])
    assert has["SystemCallFilter"][0] == "@system-service"
    if has["Type"] != ["oneshot"]:
        assert has["ExecStartPre"] == [f"{PROGRAM} migrate"]
        assert has["TimeoutStartSec"] == ["infinity"], "a long migration would be broken off at each start"
        assert int(has["TimeoutStopSec"][0]) > LONGEST_END_S


@pytest.mark.parametrize("unit", [*SERVICES, *FOLDER.glob("*.timer")], ids=lambda unit: unit.name)
def test_systemd_takes_the_units_where_it_is_there_to_ask(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert text.startswith(("#", "[Unit]")) and "[Unit]\n" in text and "@NAME@" not in text
    if shutil.which("systemd-analyze") is None:
        return
    for each in FOLDER.iterdir():
        # What is installed elsewhere is not at its place on this machine.
        named = each.name.replace("@.", "@1.")
        (tmp_path / named).write_text(each.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"))
    command = ["systemd-analyze", "verify", str(tmp_path / unit.name.replace("@.", "@1."))]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert unit.stem.partition("@")[0] not in said.stderr, said.stderr
