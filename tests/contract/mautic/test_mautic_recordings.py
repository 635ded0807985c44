"""Each recorded answer of a real Mautic 5.2.1, compared with the stand-in's."""

from __future__ import annotations

import pytest
from mautic_compare import differences
from mautic_replay import FOLDER, INDEX, Replay
from mautic_session import EXCUSED, UNCOVERED, play_all

COVERED = [name for name in INDEX if name not in UNCOVERED]


@pytest.fixture(scope="session")
def sessions() -> tuple[Replay, Replay]:
    """Play every recording once."""
    return play_all()


@pytest.mark.parametrize("name", COVERED)
def test_answers_as_recorded(sessions: tuple[Replay, Replay], name: str) -> None:
    """Status, headers, keys, types and values are those of the recording."""
    answers = {**sessions[0].answers, **sessions[1].answers}[name]
    assert answers
    found = [text for recorded, got in answers for text in differences(recorded, got, EXCUSED.get(name, ()))]
    assert not found, "\n".join(found[:20])


def test_every_recording_is_accounted_for() -> None:
    """No recording is left out without a reason."""
    assert sorted([*COVERED, *UNCOVERED]) == sorted(INDEX)
    assert len(INDEX) == 371
    assert {path.stem for path in FOLDER.glob("*.json")} == set(INDEX)
    assert EXCUSED.keys() <= set(COVERED)
