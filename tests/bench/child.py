"""A process beside the one that measures, which is told and answers by lines and ends with its standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

END_MAX_S = 60.0


@dataclass(frozen=True)
class Child:
    """Its pipes."""

    told: IO[str]
    answers: IO[str]

    def line(self) -> str:
        """Return the next line that it prints."""
        return self.answers.readline().strip()

    def ask(self, question: str) -> Any:
        """Return what it answers to a question, from JSON."""
        self.told.write(f"{question}\n")
        self.told.flush()
        return json.loads(self.line())


@contextmanager
def python(*arguments: str) -> Iterator[Child]:
    """Start Python with these arguments, and end it by closing its standard input."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Child(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(timeout=END_MAX_S)
