"""Faults that can be commanded of a stand-in: slowness, refusals, broken answers, lost answers.

A rule says what goes wrong (`Fault`), for which requests (`path` is a regular expression matched at the start of the
path, `method` an HTTP method), how often (`times`) and with which `probability` (by a seeded generator, so a
run can be repeated). Any number of rules hold at once.

Answers that are lost while the work goes on, as real servers do it (what is saved row by row is seen row by row):
`lose_answer_early(seconds=0)` closes the connection so many seconds after the request was read, 0 for at once;
`gateway(seconds=0)` answers nginx' 504 page if the answer takes longer (0: always), else hands it through, not used.
The work goes on in a thread, for which `delay_per_record` and `delay` hold; `lose_answer` closes after all is done.
A server tells by `background.running`, waits by `background.wait(timeout_s)`, and stop() ends it at the next row;
over HTTP: GET, POST (waits, `?seconds=`) and DELETE (ends) of /_sandbox/background, all answering {"running": n}.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What can go wrong; `value` of the rule is given in brackets."""

    DELAY = "delay"  # (seconds) sleep before each matching request
    DELAY_PER_RECORD = "delay_per_record"  # (seconds) work for each row, on one of `cores` processors
    STATUS = "status"  # (HTTP status) answer with it instead of doing the work
    DOWN = "down"  # close the connection without an answer, nothing done
    HANG = "hang"  # (seconds) hold the request, then close without an answer
    CUT = "cut"  # send the head and half of the body, then close
    HTML = "html"  # 200 with an HTML page
    PREFIX = "prefix"  # (text) put before the body, a BOM or a PHP warning
    SUFFIX = "suffix"  # (text) put behind the body, a cache's comment or a PHP warning
    LOSE_ANSWER = "lose_answer"  # do the work, then close without an answer
    LOSE_ANSWER_EARLY = "lose_answer_early"  # (seconds) close so long after reading the request, go on with the work
    GATEWAY = "gateway"  # (seconds) 504 page if the work takes longer, and go on with it
    WRONG_CREDENTIALS = "wrong_credentials"  # refuse every credential
    API_DISABLED = "api_disabled"  # the API is switched off
    BASIC_DISABLED = "basic_disabled"  # HTTP basic is switched off
    RATE_LIMIT = "rate_limit"  # (calls) answer 429 after so many
    CRASH_AFTER_ROWS = "crash_after_rows"  # (rows) 500 in the middle of a batch, rows before it are kept
    SAME_PAGE = "same_page"  # a list answers its first page, whatever page or offset is asked for
    DROP_QUERY = "drop_query"  # the query string is lost on the way
    SHORT_LIST = "short_list"  # (rows) a list gives so many of its rows, and counts all of them
    PAGE_CAP = "page_cap"  # (rows) no page of a list has more, whatever per_page says
    HIDE_EMAILS = "hide_emails"  # a CDN puts its placeholder where e-mail addresses stand
    PACK = "pack"  # the body packed by gzip, without a header that says so
    RACE = "race_seconds"  # (seconds) sleep between look-up and insert of a contact


@dataclass(slots=True)
class Rule:
    """One thing that goes wrong; `used` counts how often it did."""

    id: int
    kind: Fault
    value: Any = None
    path: str = ""
    method: str = ""
    times: int | None = None
    probability: float = 1.0
    retry_after: float | None = None
    body: str | None = None
    used: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Tell whether the rule is about this request and not used up."""
        if self.times is not None and self.used >= self.times:
            return False
        if self.method and self.method.upper() != method:
            return False
        return not self.path or re.match(self.path, path) is not None


SETTABLE = frozenset(field.name for field in fields(Rule)) - {"id", "used", "kind"}


class Faults:
    """The rules in force, thread-safe; empty means that all is well."""

    def __init__(self, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._rules: list[Rule] = []
        self._next_id = 1
        self._changed = threading.Event()
        self.cores = 2

    @property
    def cores(self) -> int:
        """Return how many rows are worked on at once."""
        return self._cores

    @cores.setter
    def cores(self, count: int) -> None:
        self._cores = count
        self._processors = threading.BoundedSemaphore(count)

    def add(self, kind: Fault | str, value: Any = None, **options: Any) -> Rule:
        """Put a rule in force and return it; ValueError for an unknown kind or option."""
        unknown = set(options) - SETTABLE
        if unknown:
            raise ValueError(f"Unknown option of a fault: {', '.join(sorted(unknown))}.")
        with self._lock:
            rule = Rule(self._next_id, Fault(kind), value, **options)
            re.compile(rule.path)
            self._next_id += 1
            self._rules.append(rule)
        return rule

    def remove(self, rule: Rule | int) -> None:
        """Take one rule, or the rule of that id, out of force."""
        number = rule if isinstance(rule, int) else rule.id
        self._keep(lambda each: each.id != number)

    def clear(self, kind: Fault | str | None = None) -> None:
        """Take all rules out of force, or those of one kind, and let go of held requests."""
        self._keep(lambda each: kind is not None and each.kind != kind)

    def _keep(self, wanted: Any) -> None:
        with self._lock:
            self._rules = [rule for rule in self._rules if wanted(rule)]
        self.let_go()

    def let_go(self) -> None:
        """Let go of all that hold() holds."""
        with self._lock:
            self._changed.set()
            self._changed = threading.Event()

    def spare(self, rule: Rule) -> None:
        """Give back a use of a rule that struck, but did nothing."""
        with self._lock:
            rule.used -= 1

    def rules(self) -> list[Rule]:
        """Return the rules that are in force and not used up."""
        with self._lock:
            return [rule for rule in self._rules if rule.times is None or rule.used < rule.times]

    def take(self, kind: Fault, method: str, path: str) -> Rule | None:
        """Return the first rule of the kind that strikes this request, and count it as used."""
        if not self._rules:
            return None
        with self._lock:
            return next((rule for rule in self._rules if rule.kind is kind and self._strikes(rule, method, path)), None)

    def _strikes(self, rule: Rule, method: str, path: str) -> bool:
        if not rule.matches(method, path):
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        rule.used += 1
        return True

    def hold(self, seconds: float) -> None:
        """Wait so long, or until a rule is removed."""
        with self._lock:
            changed = self._changed
        changed.wait(seconds)

    def work(self, method: str, path: str, rows: int = 1) -> None:
        """Spend the time of `delay_per_record` on each row, on one of the `cores` processors."""
        rule = self.take(Fault.DELAY_PER_RECORD, method, path)
        for _ in range(rows if rule else 0):
            with self._processors:
                time.sleep(float(rule.value))  # type: ignore[union-attr]  # range is empty without a rule

    def as_json(self) -> dict[str, Any]:
        """Return {"cores": n, "rules": [...]} for the control route."""
        return {"cores": self.cores, "rules": [asdict(rule) for rule in self.rules()]}

    def command(self, order: Mapping[str, Any]) -> None:
        """Carry out a control request: {"cores": n} and/or a rule {"kind": …, "value": …, "path": …}."""
        if "cores" in order:
            self.cores = int(order["cores"])
        if "kind" in order:
            self.add(**{name: value for name, value in order.items() if name != "cores"})

    def delay(self, seconds: float, **options: Any) -> Rule:
        """Make each matching request take so much longer."""
        return self.add(Fault.DELAY, seconds, **options)

    def delay_per_record(self, seconds: float, **options: Any) -> Rule:
        """Make each row cost so much work; concurrency beyond `cores` does not help."""
        return self.add(Fault.DELAY_PER_RECORD, seconds, **options)

    def status(self, status: int, **options: Any) -> Rule:
        """Answer with that status; `retry_after` seconds and `body` may be given."""
        return self.add(Fault.STATUS, status, **options)

    def down(self, **options: Any) -> Rule:
        """Close connections without an answer."""
        return self.add(Fault.DOWN, **options)

    def hang(self, seconds: float, **options: Any) -> Rule:
        """Hold requests so long, then close without an answer; clear() lets go at once."""
        return self.add(Fault.HANG, seconds, **options)

    def cut(self, **options: Any) -> Rule:
        """Do the work, send half of the answer and close."""
        return self.add(Fault.CUT, **options)

    def html(self, **options: Any) -> Rule:
        """Answer 200 with an HTML page."""
        return self.add(Fault.HTML, **options)

    def prefix(self, text: str = "\ufeff", **options: Any) -> Rule:
        """Put a text before the body of each answer."""
        return self.add(Fault.PREFIX, text, **options)

    def suffix(self, text: str = "\n<!-- cached -->", **options: Any) -> Rule:
        """Put a text behind the body of each answer."""
        return self.add(Fault.SUFFIX, text, **options)

    def lose_answer(self, **options: Any) -> Rule:
        """Do the work, then close without an answer."""
        return self.add(Fault.LOSE_ANSWER, **options)

    def lose_answer_early(self, seconds: float = 0, **options: Any) -> Rule:
        """Close so long after the request was read, and go on with the work."""
        return self.add(Fault.LOSE_ANSWER_EARLY, seconds, **options)

    def gateway(self, seconds: float = 0, **options: Any) -> Rule:
        """Answer a gateway's 504 page where the work takes longer, and go on with it; 0 for always."""
        return self.add(Fault.GATEWAY, seconds, **options)

    def wrong_credentials(self, **options: Any) -> Rule:
        """Refuse every credential."""
        return self.add(Fault.WRONG_CREDENTIALS, **options)

    def api_disabled(self, **options: Any) -> Rule:
        """Switch the API off."""
        return self.add(Fault.API_DISABLED, **options)

    def basic_disabled(self, **options: Any) -> Rule:
        """Switch HTTP basic off."""
        return self.add(Fault.BASIC_DISABLED, **options)

    def rate_limit(self, calls: int, **options: Any) -> Rule:
        """Answer 429 once so many calls were made."""
        return self.add(Fault.RATE_LIMIT, calls, **options)

    def crash_after_rows(self, rows: int, **options: Any) -> Rule:
        """Answer 500 after so many rows of a batch; they are kept."""
        return self.add(Fault.CRASH_AFTER_ROWS, rows, **options)

    def race(self, seconds: float, **options: Any) -> Rule:
        """Sleep between look-up and insert of a contact (mautic:175, mautic:177, mautic:187)."""
        return self.add(Fault.RACE, seconds, **options)
