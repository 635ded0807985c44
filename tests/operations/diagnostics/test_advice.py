"""The table of advice: whole sentences, gaps that are filled, no secret shown."""

from __future__ import annotations

import string

import pytest

from integration.errors import Rejected, ServiceError, Throttled
from integration.operations.support.diagnostics.advice import advise, of_error
from integration.operations.support.diagnostics.steps import Failed, Finding, excerpt, run
from integration.operations.support.diagnostics.texts import ADVICE


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", ADVICE)
@pytest.mark.parametrize("service", ["store", "mautic"])
def test_every_text_is_a_whole_sentence(service: str, code: str) -> None:
    parts = {name: "It." if name == "rights" else "it" for text in ADVICE[code] for name in gaps(text)}
    parts = {name: text for name, text in parts.items() if name not in ("name", "place", "paths")}
    sentence, hint = advise(service, code, **parts)
    assert sentence[:1].isupper() and sentence.endswith(".")
    assert hint[:1].isupper() and hint.endswith(".")
    assert "{" not in sentence + hint


def test_an_error_without_advice_speaks_for_itself() -> None:
    error = ServiceError("store", "strange", "It is strange.", "Look.")
    assert of_error("store", error) == ("strange", "It is strange.", "Look.")


def test_an_error_whose_gaps_nobody_filled_speaks_for_itself() -> None:
    error = ServiceError("mautic", "redirected", "It moved.", "Go there.")
    assert of_error("mautic", error) == ("redirected", "It moved.", "Go there.")


def test_how_long_to_wait_is_said_when_it_is_known() -> None:
    told = Throttled("store", "throttled", "", "", status=429, retry_after=29.6)
    untold = Throttled("store", "throttled", "", "", status=429)
    assert of_error("store", told)[1].endswith("asks to wait 30 seconds.")
    assert of_error("store", untold)[1].endswith("asks to wait.")


def test_an_excerpt_has_no_tags_no_scripts_and_no_secrets() -> None:
    page = "<html><style>p{}</style><script>var x = 1</script><p>Hello</p> token=abc123 " + "x" * 400
    shown = excerpt(page)
    assert shown.startswith("Hello token=***")
    assert len(shown) == 300


def test_two_warnings_are_both_said() -> None:
    def check() -> Finding:
        found = Finding("It works.")
        found.warn("store", "bom")
        found.warn("store", "clock_skew", minutes=7, direction="ahead")
        return found

    (step,) = run("store", [("Title", check)])
    assert (step.state, step.code) == ("warning", "bom")
    assert step.sentence.startswith("It works. A byte order mark")
    assert "7 minutes ahead" in step.sentence
    assert "UTF-8 without BOM" in step.hint and "NTP" in step.hint


def test_after_a_failure_nothing_more_is_carried_out() -> None:
    asked: list[int] = []

    def fail() -> Finding:
        raise Failed("store", "no_key")

    def ask() -> Finding:
        asked.append(1)
        return Finding("Well.")

    steps = list(run("store", [("One", ask), ("Two", fail), ("Three", ask)]))
    assert [step.state for step in steps] == ["ok", "failed", "skipped"]
    assert steps[2].sentence == "Not looked at, because “Two” failed."
    assert asked == [1]


def test_what_was_refused_is_not_taken_for_a_connection() -> None:
    refused = Rejected("mautic", "refused", "Mautic refused the record.", "Correct the value.")
    assert of_error("mautic", refused) == ("refused", "Mautic refused the record.", "Correct the value.")
