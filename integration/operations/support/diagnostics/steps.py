"""The steps of a connection test: five checks in order, each said in a sentence with what to do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from integration.errors import ServiceError
from integration.masking import mask_text
from integration.operations.support.diagnostics.advice import advise, of_error
from integration.pipeline.leases import endings

#: A step that took so long works, but a sync that makes hundreds of such calls takes hours.
SLOW_FROM_S = 5.0
State = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `number` 1 to 5, a state, an error's code, what was found and what to do; `seconds` it took."""

    number: int
    title: str
    state: State
    code: str
    sentence: str
    hint: str
    facts: dict[str, Any]
    seconds: float


def as_dict(step: Step) -> dict[str, Any]:
    """Return a step as JSON-ready values."""
    return asdict(step)


class Failed(Exception):
    """A check found the cause by its code in the table of advice; `parts` fill the gaps of its texts."""

    def __init__(self, service: str, code: str, *, facts: dict[str, Any] | None = None, **parts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.sentence, self.hint = advise(service, code, **parts)
        self.facts = facts or {}


@dataclass
class Finding:
    """What a check that did not fail has to say; warnings are added by code."""

    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[tuple[str, str, str]] = field(default_factory=list)

    def warn(self, service: str, code: str, **parts: Any) -> None:
        """Add a warning from the table of advice."""
        self.warnings.append((code, *advise(service, code, **parts)))


Check = Callable[[], Finding]


def run(service: str, checks: Sequence[tuple[str, Check]]) -> Iterator[Step]:
    """Carry the checks out one after another, each when it is asked for; after one that failed the rest is skipped."""
    failed = ""
    for number, (title, check) in enumerate(checks, 1):
        if failed:
            yield _skipped(number, title, failed)
            continue
        step = _carried_out(service, number, title, check)
        failed = title if step.state == "failed" else ""
        yield step


def _skipped(number: int, title: str, failed: str) -> Step:
    sentence = f"Not looked at, because “{failed}” failed."
    return Step(number, title, "skipped", "", sentence, "", {}, 0.0)


def _carried_out(service: str, number: int, title: str, check: Check) -> Step:
    started = time.monotonic()
    try:
        found = check()
    except Failed as failure:
        facts, seconds = failure.facts, _since(started)
        return Step(number, title, "failed", failure.code, failure.sentence, failure.hint, facts, seconds)
    except ServiceError as error:
        code, sentence, hint = of_error(service, error)
        return Step(number, title, "failed", code, sentence, hint, _facts_of(error), _since(started))
    except Exception as error:
        cause = endings.cause_of(error, f"The step “{title}”")
        return Step(number, title, "failed", cause.code, cause.sentence, cause.hint, {}, _since(started))
    seconds = _since(started)
    if seconds >= SLOW_FROM_S:
        found.warn(service, "slow", seconds=round(seconds))
    return _done(number, title, found, seconds)


def _done(number: int, title: str, found: Finding, seconds: float) -> Step:
    if not found.warnings:
        return Step(number, title, "ok", "", found.sentence, "", found.facts, seconds)
    sentence = " ".join([found.sentence, *(said for _, said, _ in found.warnings)])
    hint = " ".join(hint for _, _, hint in found.warnings)
    return Step(number, title, "warning", found.warnings[0][0], sentence, hint, found.facts, seconds)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _facts_of(error: ServiceError) -> dict[str, Any]:
    known = {"status": error.status, "answer": excerpt(error.excerpt)}
    return {name: value for name, value in known.items() if value}


def excerpt(text: str) -> str:
    """Return the start of an answer for people: no tags, no secrets, at most 300 characters."""
    plain = re.sub(r"<(script|style)\b.*?(</\1>|$)|<[^>]*>", " ", text[:5000], flags=re.DOTALL | re.IGNORECASE)
    return mask_text(re.sub(r"\s+", " ", plain).strip())[:300]
