"""Stand-in Mautics for many connectors in one process apart, each with a processor of its own and 20 ms a record.

It counts by itself what it holds: contacts, notes, and when batches came.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from integration.sandbox.calls import Call, Calls
from integration.sandbox.mautic import MauticServer
from tests.bench.child import Child, python

BATCH = "/api/contacts/batch/"


class Held(NamedTuple):
    """What one Mautic holds: contacts and addresses, notes and the most of one person; when its batches came (s)."""

    contacts: int
    addresses: int
    notes: int
    notes_of_one: int
    batches: list[float]


@dataclass
class Mautics:
    """The process and the addresses of its Mautics."""

    process: Child
    urls: list[str]

    def held(self) -> list[Held]:
        """Return what each of them holds now."""
        return [Held(*each) for each in self.process.ask("held")]


@contextmanager
def mautics(count: int, record_s: float, host: str = "127.0.0.1") -> Iterator[Mautics]:
    """Give so many Mautics, each of which works on one record at a time."""
    with python("-m", "tests.bench.scale.standins", str(count), str(record_s), host) as child:
        yield Mautics(child, json.loads(child.line()))


class _Timed(Calls):
    """The calls of one Mautic, with the moments at which batches were answered."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[float] = []

    def add(self, call: Call) -> None:
        super().add(call)
        if call.path.startswith(BATCH):
            self.batches.append(time.time())


def _held(server: MauticServer) -> Held:
    contacts = list(server.state.contacts.values())
    notes = Counter(_person(note) for note in server.state.notes.values())
    calls = server.calls
    assert isinstance(calls, _Timed)
    addresses = {each.email for each in contacts}
    return Held(len(contacts), len(addresses), notes.total(), max(notes.values(), default=0), calls.batches)


def _person(note: Mapping[str, Any]) -> Any:
    return note["lead"] if "lead" in note else note["lead_id"]


def _server(record_s: float, host: str) -> MauticServer:
    server = MauticServer(host=host)
    server.calls = _Timed()
    server.faults.cores = 1
    if record_s:
        server.faults.delay_per_record(record_s)
    return server.start()


def main(count: int, record_s: float, host: str) -> None:
    """Serve until standard input ends; each line of it asks for what is held."""
    servers = [_server(record_s, host) for _ in range(count)]
    print(json.dumps([server.url for server in servers]), flush=True)
    for _ in sys.stdin:
        print(json.dumps([_held(server) for server in servers]), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
