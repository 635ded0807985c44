"""How much memory a process has, as Linux tells it."""

from __future__ import annotations

from pathlib import Path


def megabytes(pid: int | str = "self") -> float:
    """Return the resident size of a process in MB."""
    return _kilobytes(pid, "VmRSS") / 1024


def largest(pid: int | str = "self") -> float:
    """Return the largest resident size that a process has had, in MB."""
    return _kilobytes(pid, "VmHWM") / 1024


def only_child(pid: int) -> int:
    """Return the id of a process's one child; raises ValueError where it has none or several."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def _kilobytes(pid: int | str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
