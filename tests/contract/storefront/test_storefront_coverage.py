"""How many of the recordings of the shopper's side the stand-in is held against."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from storefront_recordings import FOLDER

OF_ALL, AT_LEAST = 151, 151


def _held() -> list[int]:
    """Return the numbers every test file of this folder names as HELD."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_storefront_*.py"))
    return [number for name in names for number in getattr(import_module(name), "HELD", ())]


def test_enough_recordings_are_held_and_each_in_one_place() -> None:
    held = _held()
    assert len(held) == len(set(held)), "A recording is named twice."
    assert AT_LEAST <= len(held) <= OF_ALL, f"{len(held)} of {OF_ALL} recordings are held."


def test_the_recordings_kept_here_are_those_that_are_held() -> None:
    assert {int(path.name[:3]) for path in FOLDER.glob("*.json")} == set(_held())
