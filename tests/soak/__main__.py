"""make soak: some minutes of shopping while everything goes wrong, then a count of what came of it; exit code 1 on any
fault. The seed is printed; SOAK_SEED or --seed repeats the same shoppers and troubles (times of day differ).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.postgres import Cluster, binaries
from tests.soak.app import App
from tests.soak.count import Count, Found
from tests.soak.ends import VERSIONS
from tests.soak.rest import Rest
from tests.soak.troubles import OFFSET_MAX_S, Trouble, Troubles

#: After the troubles everything must be done within this.
QUIET_MAX_S = 600.0
#: So long nothing may be open, and so many runs of the schedule come to a good end, before it counts as quiet.
QUIET_S, POLLS = 30.0, 2
#: The memory of the process that works may grow by so much after the first third.
MEMORY_GROWTH_MAX_MB = 40.0
#: One trouble in so many begins while another lasts.
TOGETHER = 4
SETTINGS = (
    "orders.statuses=processing,completed,refunded",
    "orders.notes=yes",
    "orders.remove_completed_tag=yes",
    "orders.create_fields=yes",
    "orders.emails=completed:1,refunded:2",
    "orders.segments=processing:2,completed:1",
    "sync.every=15",
    "sync.proof_every=3",
)
FINISHED_AFTER_S = 300.0


class EndsProcess:
    """The stand-ins' process, commanded line by line."""

    def __init__(self, seed: int, mautic: str) -> None:
        words = [sys.executable, "-m", "tests.soak.ends", "--seed", str(seed), "--mautic", mautic]
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        self.whereabouts: dict[str, str] = self._answer()

    def _answer(self) -> Any:
        assert self._child.stdout is not None
        return json.loads(self._child.stdout.readline())

    def do(self, do: str, **arguments: Any) -> Any:
        """Command something and return the answer."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """End it."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(timeout=60)


class Soak:
    """One run of one variant: its processes, its troubles, its end."""

    def __init__(self, folder: Path, database_url: str, minutes: float, seed: int, mautic: str) -> None:
        self.seconds = minutes * 60
        self.app = App(folder, database_url)
        self.ends = EndsProcess(seed, mautic)
        self.troubles = Troubles(seed)
        self._chance = random.Random(seed)
        self._folder = folder
        self._began = time.monotonic()
        self._faults = 0

    def say(self, sentence: str) -> None:
        """Print a line with the seconds since the beginning."""
        print(f"{time.monotonic() - self._began:6.1f} s  {sentence}", flush=True)

    def set_up(self) -> None:
        """Connect the app with both ends and start it."""
        # Notes and e-mails follow what happens after they were set: the clock must never go back to before that.
        self.app.move_clock(-OFFSET_MAX_S)
        where = self.ends.whereabouts
        given = [f"--{name.replace('_', '-')}={value}" for name, value in where.items() if name != "mautic_method"]
        self.app.command("connect", "--name=Soak", *given)
        self.app.command("configure", "1", *SETTINGS)
        self.app.command("fields", "1", "--create")
        self.app.make_token()
        self.app.start()
        self.app.command("webhooks", "1", "--register")
        self.app.move_clock(0.0)

    def trouble(self) -> None:
        """Let one thing after the other go wrong while people shop."""
        self.app.measure()
        self.ends.do("shop")
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            self._happen(self.troubles.choose())
        self.well()
        self.ends.do("rest")

    def _happen(self, trouble: Trouble) -> None:
        self.say(f"{trouble.told} for {trouble.lasts_s:.1f} s")
        if "do" in trouble.command:
            self.ends.do(**trouble.command)
        else:
            getattr(self, f"_{trouble.kind}")(trouble)
        if self._chance.randrange(TOGETHER) == 0:
            return
        time.sleep(trouble.lasts_s)
        self.well()
        time.sleep(self.troubles.peace_s())

    def well(self) -> None:
        """Take every fault out of force."""
        self.ends.do("well")

    def _kill(self, trouble: Trouble) -> None:
        self.app.kill()
        time.sleep(trouble.lasts_s)
        self.app.start()

    def _kill_worker(self, trouble: Trouble) -> None:
        self.app.kill_worker()

    def _restart(self, trouble: Trouble) -> None:
        self.say(f"stopped in {self.app.stop():.1f} s")
        self.app.start()

    def _clock(self, trouble: Trouble) -> None:
        wanted = self.app.offset_s + trouble.command["jump"]
        self.app.move_clock(max(-OFFSET_MAX_S, min(wanted, OFFSET_MAX_S)))

    def _run(self, trouble: Trouble) -> None:
        status, answer = self.app.call("POST", "/connectors/1/runs", trouble.command)
        self.say(f"  {status} {str(answer)[:150]}")

    def _cancel(self, trouble: Trouble) -> None:
        _, answer = self.app.call("GET", "/connectors/1/runs")
        going = [each for each in (answer or {}).get("runs", []) if each["state"] in ("PENDING", "RUNNING")]
        for each in going:
            status, _ = self.app.call("POST", f"/runs/{each['id']}/cancel")
            self.say(f"  {status} cancelled {each['kind']}")

    def quiet(self) -> list[Found]:
        """Wait until nothing is open; the clock goes on by what holds and pauses last at most."""
        rest = Rest(self.app.database_url)
        self.app.move_clock(self.app.offset_s + FINISHED_AFTER_S)
        self.ends.do("settled")
        ends, since, polls = time.monotonic() + QUIET_MAX_S, time.monotonic(), rest.polls()
        left: dict[str, int] = {}
        while time.monotonic() < ends:
            left = {name: count for name, count in rest.figures().items() if count}
            if left:
                since, polls = time.monotonic(), rest.polls()
            if time.monotonic() - since > QUIET_S and rest.polls() >= polls + POLLS:
                return []
            time.sleep(1.0)
        return [Found("left", f"not quiet after {QUIET_MAX_S:.0f} s: {left or 'no run of the schedule ends well'}")]

    def full_sync(self) -> list[Found]:
        """Do what brings accounts whose webhooks were lost, as the pages advise; nothing may be doubled by it."""
        ends = time.monotonic() + QUIET_MAX_S
        while time.monotonic() < ends:
            status, _ = self.app.call("POST", "/connectors/1/runs", {"kind": "full"})
            if status == 202:
                return self.quiet()
            time.sleep(1.0)
        return [Found("left", "a full sync could not be started")]

    def count(self, *, accounts: bool) -> tuple[list[Found], dict[str, int]]:
        """Return what is wrong now, and figures."""
        path = self._folder / "facts.json"
        self.ends.do("facts", path=str(path))
        count = Count(json.loads(path.read_text("utf-8")))
        rest = Rest(self.app.database_url)
        found = [*count.differences(accounts=accounts), *rest.differences()]
        return found, count.figures | rest.totals()

    def memory(self) -> tuple[list[Found], dict[str, int]]:
        """Return whether the memory grew, and its figures."""
        third = self.seconds / 3
        before = max((used for at, used in self.app.memory if at <= third), default=0.0)
        after = max((used for at, used in self.app.memory if at > third), default=0.0)
        grew = after - before > MEMORY_GROWTH_MAX_MB
        sentence = f"memory grew from {before:.0f} to {after:.0f} MB"
        figures = {"memory in the first third, MB": round(before), "memory afterwards, MB": round(after)}
        return [Found("memory", sentence)] if grew else [], figures

    def stop(self) -> None:
        """End all processes."""
        self.app.stop()
        self.ends.stop()


def soak(name: str, folder: Path, database_url: str, asked: argparse.Namespace) -> list[Found]:
    """Do one variant, print its table and return what was wrong."""
    print(
        f"soak of {name}: seed {asked.seed}, Mautic {asked.mautic}, {asked.minutes:g} minutes, in {folder}", flush=True
    )
    one = Soak(folder, database_url, asked.minutes, asked.seed, asked.mautic)
    try:
        one.set_up()
        one.trouble()
        one.say("all is well again; waiting until it is quiet")
        found = one.quiet()
        first, _ = one.count(accounts=False)
        one.say(f"quiet, {len(first)} differences; a full sync for accounts")
        found += [Found(f"{each.kind}, before the full sync", each.sentence) for each in first]
        found += one.full_sync()
        last, figures = one.count(accounts=True)
        memory, used = one.memory()
        if found or last or memory:
            Rest(database_url).keep(folder / "story.jsonl")
            one.say(f"what the app has stored is in {folder}/story.jsonl")
    finally:
        one.stop()
    found += last + memory
    figures |= used | {f"troubles: {kind}": count for kind, count in sorted(one.troubles.counts.items())}
    table(name, figures, found)
    return found


def table(name: str, figures: dict[str, int], found: list[Found]) -> None:
    """Print figures and faults."""
    print(f"\n{name}")
    for title, value in figures.items():
        print(f"  {title:38}{value:>8}")
    for kind in ("lost", "doubled", "wrong", "left", "dead letter", "partial", "memory"):
        print(f"  {kind:38}{sum(each.kind.startswith(kind) for each in found):>8}")
    for each in found:
        print(f"  FAULT {each.kind}: {each.sentence}")
    print(flush=True)


def main() -> None:
    """Do the variants that are asked for and can be done."""
    environ = os.environ
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float(environ.get("SOAK_MINUTES", "10")))
    parser.add_argument("--seed", type=int, default=int(environ.get("SOAK_SEED") or random.randrange(1_000_000)))
    parser.add_argument("--mautic", choices=VERSIONS, help="the version of the stand-in; by the seed if left out")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    asked = parser.parse_args()
    asked.mautic = asked.mautic or list(VERSIONS)[asked.seed % len(VERSIONS)]
    # Whoever ends the soak ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    postgres = binaries() if asked.database != "sqlite" else None
    variants = [name for name in ("sqlite", "postgresql") if asked.database in (name, "both")]
    variants = [name for name in variants if name == "sqlite" or postgres]
    asked.minutes /= len(variants)
    faults = sum(len(_variant(name, postgres, asked)) for name in variants)
    sys.exit(1 if faults else 0)


def _variant(name: str, postgres: Path | None, asked: argparse.Namespace) -> list[Found]:
    folder = Path(tempfile.mkdtemp(prefix=f"soak-{name}-"))
    if name == "sqlite" or postgres is None:
        (folder / "instance").mkdir()
        return soak(name, folder, f"sqlite:///{folder / 'instance' / 'soak.sqlite'}", asked)
    cluster = Cluster(postgres)
    cluster.start()
    try:
        admin = create_engine(cluster.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE soak"))
        admin.dispose()
        return soak(name, folder, cluster.url.rsplit("/", 1)[0] + "/soak", asked)
    finally:
        with suppress(subprocess.CalledProcessError):
            cluster.stop()


if __name__ == "__main__":
    main()
