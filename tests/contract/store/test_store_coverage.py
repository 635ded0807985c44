"""Every recording of the store is either replayed by these tests or named here with the reason why not."""

from __future__ import annotations

from pathlib import Path

from store_numbers import BROKEN, EXACT, LATER, MAINTENANCE, PLAIN, PLUGIN_OFF, SHAPED, SIGNED_WRONGLY, SPOILT
from store_recordings import FOLDER

NAMES = Path(__file__).parent / "recording_names.txt"
READING = (*EXACT, *SHAPED, *LATER, 1, 2, 5, 9, 40, 137, *range(482, 502))
REFUSALS = (*SIGNED_WRONGLY, 167, 168, 171, 172, 173, 174, 176, 179, 182, 183, 184, 185, 418, 419, 420, 464, 465)
WRITING = (*range(139, 167), 205, 206, 451, 452, 453, 454, 455, 456, 469, 470, 471)
WEBHOOKS = (*range(301, 361), *range(364, 368), 369, 370, 371, 373, 401, 402, 405, 406, 411, 412, *range(476, 482))
MODES = (*BROKEN, *SPOILT, *PLUGIN_OFF, *MAINTENANCE, *PLAIN, 211, 212, 423, 431, 444, 446, 462, 463)
COVERED = {*READING, *REFUSALS, *WRITING, *WEBHOOKS, *MODES}

CRON = "What it shows is how long the real shop's cron took; the stand-in's latency is a setting."
ELSEWHERE = "The receiver is an address outside this machine, which tests do not call; 401 and 405 are the same case."
UNCOVERED = {
    361: CRON,
    362: CRON,
    363: CRON,
    368: "The ping of 314 once more, to a receiver that answers 503; the refused ping is tested with 401.",
    403: "A port that a stock WordPress refuses to call; the stand-in calls any port, or no test could receive.",
    404: "The reading of 403.",
    407: ELSEWHERE,
    408: ELSEWHERE,
    409: ELSEWHERE,
    410: ELSEWHERE,
}


def _numbers(names: list[str]) -> set[int]:
    return {int(name[:3]) for name in names}


def test_every_recording_is_covered_or_has_a_reason() -> None:
    listed = _numbers(NAMES.read_text("utf-8").split())

    assert COVERED | UNCOVERED.keys() == listed
    assert not COVERED & UNCOVERED.keys()
    assert all(reason.endswith(".") for reason in UNCOVERED.values())


def test_the_recordings_kept_here_are_those_that_are_replayed() -> None:
    assert _numbers([path.name for path in FOLDER.glob("*.json")]) == COVERED
