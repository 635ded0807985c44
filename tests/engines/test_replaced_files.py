"""Files may be replaced by another version's while a process runs: what it does is the old program's still."""

from __future__ import annotations

import pytest

from integration import program
from integration.engines import engine_for
from integration.pipeline.services import Services


def test_a_process_keeps_the_program_that_it_began_with(live: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    program.digest.cache_clear()
    engine_for(live, role="worker")
    with monkeypatch.context() as replaced:
        replaced.setattr(program, "of_files", lambda _root: b"another version")
        begun = program.digest()
    program.digest.cache_clear()
    assert program.digest() == begun
