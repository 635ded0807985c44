"""What goes wrong, chosen at random: faults of both ends, webhooks that do not come, and what befalls the app."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from integration.sandbox.faults import Fault

#: Seconds that a trouble lasts, and the peace after it.
LASTS_MIN_S, LASTS_MAX_S = 2.0, 8.0
PEACE_MIN_S, PEACE_MAX_S = 0.5, 3.0
#: The clock is never more wrong than this: a store refuses a signature that is 15 minutes old.
OFFSET_MAX_S = 300.0
JUMPS_S = (20.0, 60.0, 240.0, -15.0, -45.0, -120.0)

#: Fault -> the values that it is given; every fault of faults.py is in it.
VALUES: dict[Fault, tuple[Any, ...]] = {
    Fault.DELAY: (0.3, 2.0),
    Fault.DELAY_PER_RECORD: (0.01, 0.05),
    Fault.STATUS: (401, 403, 404, 429, 500, 502, 503, 504),
    Fault.DOWN: (None,),
    Fault.HANG: (3.0, 10.0),
    Fault.CUT: (None,),
    Fault.HTML: (None,),
    Fault.PREFIX: ("\ufeff", "<br />\n<b>Warning</b>: odd\n"),
    Fault.SUFFIX: ("\n<!-- cached -->",),
    Fault.LOSE_ANSWER: (None,),
    Fault.LOSE_ANSWER_EARLY: (0, 0.2),
    Fault.GATEWAY: (0, 0.05),
    Fault.WRONG_CREDENTIALS: (None,),
    Fault.API_DISABLED: (None,),
    Fault.BASIC_DISABLED: (None,),
    Fault.RATE_LIMIT: (3, 10),
    Fault.CRASH_AFTER_ROWS: (1, 3),
    Fault.SAME_PAGE: (None,),
    Fault.DROP_QUERY: (None,),
    Fault.SHORT_LIST: (2, 7),
    Fault.PAGE_CAP: (5, 20),
    Fault.HIDE_EMAILS: (None,),
    Fault.PACK: (None,),
    Fault.RACE: (0.3,),
}
#: Faults that do something at one end only.
ONLY_AT = {
    Fault.SAME_PAGE: "store",
    Fault.DROP_QUERY: "store",
    Fault.SHORT_LIST: "store",
    Fault.PAGE_CAP: "store",
    Fault.HIDE_EMAILS: "store",
    Fault.CRASH_AFTER_ROWS: "mautic",
    Fault.BASIC_DISABLED: "mautic",
    Fault.RACE: "mautic",
}
SHOP_FAULTS = (
    "fatal",
    "fatal-mid",
    "memory",
    "timelimit",
    "db",
    "notice",
    "bom",
    "rest-disabled",
    "captcha",
    "status:403",
    "status:429",
    "redirect",
    "truncate",
    "php-down",
)
MODES = ("plain_permalinks", "plugin_off", "maintenance", "coming_soon", "rest_disabled", "php_down")
WEBHOOKS: tuple[dict[str, Any], ...] = (
    {"hold": True},
    {"drop": 6},
    {"repeat": 2},
    {"silent": True},
    {"latency": 3.0},
)
RUNS = ("full", "initial", "incremental", "bulk")
#: What happens -> how often, in parts.
WEIGHTS = {
    "end": 44,
    "shop": 10,
    "mode": 6,
    "webhooks": 10,
    "kill": 5,
    "kill_worker": 4,
    "restart": 4,
    "clock": 6,
    "run": 9,
    "cancel": 6,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that happens: its kind, what is commanded, and for how many seconds."""

    kind: str
    told: str
    lasts_s: float
    command: dict[str, Any] = field(default_factory=dict)


class Troubles:
    """Chooses troubles; the same seed chooses the same."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.counts: dict[str, int] = {}

    def peace_s(self) -> float:
        """Return how long nothing happens."""
        return self._chance.uniform(PEACE_MIN_S, PEACE_MAX_S)

    def choose(self) -> Trouble:
        """Return what happens next."""
        kind = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        lasts_s = self._chance.uniform(LASTS_MIN_S, LASTS_MAX_S)
        made: Trouble = getattr(self, f"_{kind}")(kind, lasts_s)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return made

    def _end(self, kind: str, lasts_s: float) -> Trouble:
        fault = self._chance.choice(list(VALUES))
        side = ONLY_AT.get(fault) or self._chance.choice(("store", "mautic", "mautic"))
        value = self._chance.choice(VALUES[fault])
        probability = self._chance.choice((1.0, 0.5, 0.2))
        command = {"do": "fault", "side": side, "kind": fault, "value": value, "probability": probability}
        return Trouble(kind, f"{side} {fault} {value!r} at {probability:.0%}", lasts_s, command)

    def _shop(self, kind: str, lasts_s: float) -> Trouble:
        name = self._chance.choice(SHOP_FAULTS)
        return Trouble(kind, f"shop {name}", lasts_s, {"do": "shop_fault", "kind": name})

    def _mode(self, kind: str, lasts_s: float) -> Trouble:
        name = self._chance.choice(MODES)
        return Trouble(kind, f"shop mode {name}", lasts_s, {"do": "mode", "name": name})

    def _webhooks(self, kind: str, lasts_s: float) -> Trouble:
        switches = self._chance.choice(WEBHOOKS)
        return Trouble(kind, f"webhooks {switches}", lasts_s, {"do": "webhooks", **switches})

    def _kill(self, kind: str, lasts_s: float) -> Trouble:
        return Trouble(kind, "kill -9 of the app", self._chance.uniform(0, 3))

    def _kill_worker(self, kind: str, lasts_s: float) -> Trouble:
        return Trouble(kind, "kill -9 of the process that works", 0)

    def _restart(self, kind: str, lasts_s: float) -> Trouble:
        return Trouble(kind, "restart in order", 0)

    def _clock(self, kind: str, lasts_s: float) -> Trouble:
        jump = self._chance.choice(JUMPS_S)
        return Trouble(kind, f"clock {jump:+.0f} s", 0, {"jump": jump})

    def _run(self, kind: str, lasts_s: float) -> Trouble:
        name = self._chance.choice(RUNS)
        return Trouble(kind, f"run {name}", 0, {"kind": name})

    def _cancel(self, kind: str, lasts_s: float) -> Trouble:
        return Trouble(kind, "cancel what runs", 0)


assert set(VALUES) == set(Fault)
