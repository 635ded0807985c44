"""Rotating files of JSON lines: written by several threads and processes, read newest first without loading them."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from integration.models.sql import COUNTED_ROWS_MAX, Total
from integration.url_filters import Moment, Text, UrlFilter, WholeNumber

FILES = 5
FILE_SIZE = 5 * 1024 * 1024
#: Lines are counted from the newest on, so a page far behind costs the reading of all before it.
PAGE_MAX = 400
_BLOCK = 65536
#: Threads write in nearly, not exactly, the order of their times.
_SLACK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class LinePage:
    """One page of lines, newest first; `more` says that older ones match too, `total` how many match at all."""

    lines: list[dict[str, Any]]
    page: int
    more: bool
    total: Total = Total(0)


class LogLineQuery(UrlFilter):
    """What to look for: moments (aware, half-open), a text anywhere in the line, exact values of keys."""

    since: Moment = None
    until: Moment = None
    text: Text = ""
    page: Annotated[int, WholeNumber(1, PAGE_MAX)] = 1
    values: Mapping[str, Any] = Field(default_factory=dict)
    limit: int = 50

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return self.differs("page")


class LineFile:
    """A file of JSON lines and its older parts (`name.1` is the youngest of them), readable by their owner only."""

    def __init__(self, path: Path, *, files: int = FILES, size: int = FILE_SIZE) -> None:
        self.path = path
        self._files = files
        self._size = size
        self._lock = threading.Lock()

    def append(self, line: Mapping[str, Any]) -> None:
        """Add one line, durable against a crash of the process, and rotate when the file is full."""
        data = json.dumps(line, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n"
        with self._lock, self._only_writer():
            if _size_of(self.path) + len(data) > self._size:
                self._rotate()
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(data)

    def parts(self) -> list[Path]:
        """Return the existing files, newest first."""
        paths = [self.path, *(self._part(number) for number in range(1, self._files))]
        return [path for path in paths if path.is_file()]

    def read(self, query: LogLineQuery) -> LinePage:
        """Return one page of the lines that match, newest first."""
        skip = (max(query.page, 1) - 1) * query.limit
        upto, number = skip + query.limit, 0
        found: list[dict[str, Any]] = []
        for number, line in enumerate(self._matching(query), 1):
            if skip < number <= upto:
                found.append(line)
            if number > max(upto, COUNTED_ROWS_MAX):
                break
        return LinePage(found, query.page, number > upto, Total.upto(number, max(upto, COUNTED_ROWS_MAX)))

    def remove(self) -> None:
        """Delete all parts."""
        for path in self.parts():
            path.unlink(missing_ok=True)

    def drop(self, unwanted: Callable[[str], bool]) -> int:
        """Rewrite all parts without the lines that are unwanted and return how many those were."""
        with self._lock, self._only_writer():
            return sum(_dropped(path, unwanted) for path in self.parts())

    def _matching(self, query: LogLineQuery) -> Iterator[dict[str, Any]]:
        needle = query.text.casefold()
        for raw in self._raw_lines():
            line = _parsed(raw)
            if line is None:
                continue
            at = datetime.fromisoformat(line["at"])
            if query.since and at < query.since - _SLACK:
                return
            if _within(at, query) and _has_values(line, query.values) and _has_text(line, needle):
                yield line

    def _raw_lines(self) -> Iterator[bytes]:
        # All parts are opened first: a rotation meanwhile would show lines twice.
        with ExitStack() as stack:
            for file in [stack.enter_context(path.open("rb")) for path in self.parts()]:
                yield from _backwards(file)

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            older = self.path if number == 1 else self._part(number - 1)
            if older.is_file():
                os.replace(older, self._part(number))
        if self._files == 1:
            self.path.unlink(missing_ok=True)

    def _part(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def _dropped(path: Path, unwanted: Callable[[str], bool]) -> int:
    """Write a file anew beside itself and put it in its place: whoever reads it meanwhile reads the old one."""
    with path.open("rb") as file:
        lines = file.readlines()
    kept = [line for line in lines if not unwanted(line.decode("utf-8", "replace"))]
    if len(kept) == len(lines):
        return 0
    beside = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.writelines(kept)
    os.replace(beside, path)
    return len(lines) - len(kept)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _backwards(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file from its end, reading 64 KB at a time."""
    position = file.seek(0, os.SEEK_END)
    rest: list[bytes] = []
    while position > 0:
        step = min(_BLOCK, position)
        position = file.seek(position - step)
        head, *lines = file.read(step).split(b"\n")
        if lines:
            yield lines[-1] + b"".join(reversed(rest))
            yield from reversed(lines[:-1])
            rest = []
        rest.append(head)
    yield b"".join(reversed(rest))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    # The other lines are shown even if a crash has cut this one.
    try:
        line = json.loads(raw)
        datetime.fromisoformat(line["at"])
    except (ValueError, KeyError, TypeError):
        return None
    return dict(line)


def _within(at: datetime, query: LogLineQuery) -> bool:
    return (query.since is None or at >= query.since) and (query.until is None or at < query.until)


def _has_values(line: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return all(line.get(name) == value for name, value in values.items())


def _has_text(line: Mapping[str, Any], needle: str) -> bool:
    return not needle or needle in json.dumps(line, ensure_ascii=False).casefold()
