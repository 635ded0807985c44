"""The further recorded answers of Mautic 5.2.0 and 7.0.0, compared with the stand-in's."""

from __future__ import annotations

from typing import Any

import pytest
from mautic_compare import differences
from mautic_more import FOLDERS, index, play_more

VERSIONS = ("5.2.0", "7.0.0")
#: Recordings that are not compared, with the reason.
UNCOVERED: dict[str, str] = {}
#: Places (regular expressions) where the stand-in may differ, with the reason.
EXCUSED = {
    "556-email-activity": (r"eventId|stat\.id$",),  # Of one second, in no order; ids of a log of many kinds.
    "557-emails-list": (r"^\.emails\.1\.date",),  # Made long before the session.
}
#: The fields of 5.2.0 stood in another order there.
OF_VERSION = {"5.2.0": (r"\.order$",)}


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Play the recordings of both versions once."""
    return {version: play_more(version) for version in VERSIONS}


@pytest.mark.parametrize(
    ("version", "name"), [(version, name) for version in VERSIONS for name in index(version) if name not in UNCOVERED]
)
def test_answers_as_recorded(sessions: dict[str, Any], version: str, name: str) -> None:
    """Status, headers, keys, types and values are those of the recording."""
    answers = sessions[version][name]
    assert answers
    excused = (*EXCUSED.get(name, ()), *OF_VERSION.get(version, ()))
    found = [text for recorded, got in answers for text in differences(recorded, got, excused)]
    assert not found, "\n".join(found[:20])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recording_is_accounted_for(version: str) -> None:
    """No recording is left out without a reason."""
    names = index(version)
    assert len(names) == {"5.2.0": 118, "7.0.0": 124}[version]
    assert {path.stem for path in FOLDERS[version].glob("*.json")} == set(names)
    assert set(UNCOVERED) | set(EXCUSED) <= set(names)
