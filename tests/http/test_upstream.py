"""One verdict for each answer that a service did not write itself, whoever asks: sync, hold and alert, connection test.

Each answer comes from a server of its own at both ends of a connector, or at one where it makes sense only there.
"""

from __future__ import annotations

import pytest

from integration.errors import NotSetUp
from integration.http.signatures import SIGNATURES
from integration.http.transport import Answer
from integration.http.upstream import judge, row_of
from integration.operations.support.diagnostics.catalogue import EVERY
from tests.http.foreign_answers import CASES
from tests.http.refused_answers import REFUSALS
from tests.http.verdicts import BLAMES, Case, answer_of, asking, held_error, of_sync, of_test

ASKING = asking(CASES)


def family(sentence: str) -> str:
    """Return a sentence without what differs with the path that was asked for."""
    return sentence.partition(":")[0].partition(" http")[0]


@pytest.mark.parametrize(("case", "service"), ASKING)
def test_sync_alert_and_connection_test_give_one_verdict(case: Case, service: str) -> None:
    error, step = of_sync(case, service), of_test(case, service)
    assert (type(error), error.code, step.code) == (case.kind, case.code, case.code)
    assert error.blame is BLAMES[case.kind]
    assert family(step.sentence) == family(error.sentence)
    assert error.sentence.endswith(".") and error.hint.endswith(".") and "{" not in error.sentence + error.hint
    assert "The store" not in error.sentence[1:]


@pytest.mark.parametrize(("case", "service"), ASKING)
def test_a_hold_tells_what_the_sync_was_told(case: Case, service: str) -> None:
    """The breaker hands the sync's own error to the hold, from which alerts take their sentence."""
    error = of_sync(case, service)
    held = held_error(error, service)
    assert held is error and held.sentence == error.sentence


@pytest.mark.parametrize(("case", "service"), ASKING)
def test_the_mark_that_shows_it_is_the_one_meant(case: Case, service: str) -> None:
    found = row_of(service, answer_of(case))
    assert found is not None and (found[0].code, found[1].name) == (case.code, case.mark)


def test_a_slash_that_wordpress_adds_means_plain_permalinks() -> None:
    """woo:414; only the sync meets it, as the test asks for the address with its slash."""
    location = {"location": "http://a.test/wp-json/wc/v3/orders/?per_page=1"}
    error = judge("store", Answer(301, location, b"", 0.1, "http://a.test/wp-json/wc/v3/orders?per_page=1"))
    assert error is not None and (type(error), error.code) == (NotSetUp, "plain_permalinks")


def test_an_unknown_answer_says_what_can_be_said_and_no_secret() -> None:
    answer = Answer(400, {"content-type": "text/plain; charset=x"}, b"teapot consumer_secret=cs_12345 <b>", 0.1, "")
    error = judge("store", answer)
    assert error is not None and error.code == "unknown_answer"
    assert "status 400" in error.sentence and "text/plain" in error.sentence and "teapot" in error.sentence
    assert "cs_12345" not in error.sentence + error.excerpt


def test_every_row_and_every_mark_is_shown_by_an_answer() -> None:
    shown = {(case.code, case.mark) for case in (*CASES, *REFUSALS)} | {("plain_permalinks", "slash added")}
    assert {(row.code, mark.name) for row in SIGNATURES for mark in row.marks} <= shown
    assert len(ASKING) >= 40


def test_the_catalogue_and_the_table_name_each_other() -> None:
    numbers: dict[str, set[str]] = {}
    for row in SIGNATURES:
        numbers.setdefault(row.code, set()).update(row.numbers)
    assert {number for found in numbers.values() for number in found} <= EVERY.keys()
    named = {known.id: known.code for known in EVERY.values() if known.code in numbers}
    assert {number: code for number, code in named.items() if number not in numbers[code]} == OF_THE_SERVICE
    assert all(EVERY[number].advice for number in named)


#: Numbers whose code is that of the table although it is Mautic's own answer, not one in its place.
OF_THE_SERVICE = {number: "server_fault" for number in ("M15", "M17", "M31")}
