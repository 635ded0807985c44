"""One verdict for each refusal of a key or a password, and for an API that is shut: sync, hold, connection test."""

from __future__ import annotations

import re

import pytest

from integration.errors import Blame, NotSetUp, ServerFault
from integration.http.marks import Mark, Signature
from integration.http.signatures import SIGNATURES, TEXTS
from integration.http.upstream import error_named, row_of
from tests.http.refused_answers import API, KEYS, REFUSALS
from tests.http.verdicts import BLAMES, Case, answer_of, asking, held_error, of_sync, of_test

ASKING = asking(REFUSALS)
#: What only the connection test knows better: all that a key may not see, and how far the clocks are apart.
KNOWN_BETTER = re.compile(r"rights for .*\.$|are .* minutes")


@pytest.mark.parametrize(("case", "service"), ASKING)
def test_sync_hold_and_connection_test_say_the_same(case: Case, service: str) -> None:
    error, step = of_sync(case, service), of_test(case, service)
    assert (type(error), error.code, step.code) == (case.kind, case.code, case.code)
    assert error.blame is BLAMES[case.kind]
    assert KNOWN_BETTER.sub("", step.sentence) == KNOWN_BETTER.sub("", error.sentence)
    assert step.hint == error.hint
    assert held_error(error, service) is error
    assert error.sentence.endswith(".") and error.hint.endswith(".") and "{" not in error.sentence + error.hint


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in (*KEYS, *API)])
def test_the_mark_that_shows_a_stores_refusal_is_the_one_meant(case: Case) -> None:
    found = row_of("store", answer_of(case))
    assert found is not None and (found[0].code, found[1].name) == (case.code, case.mark)


def test_a_closed_api_says_what_the_plugin_said() -> None:
    (case,) = (case for case in API if case.name == "closed-403")
    assert "(rest_forbidden: Closed)" in of_sync(case, "store").sentence


def test_a_key_without_rights_says_for_what() -> None:
    (case,) = (case for case in KEYS if case.name == "no-rights")
    assert of_sync(case, "store").sentence.endswith("no rights for orders.")
    assert of_test(case, "store").sentence.endswith("no rights for orders, customers, webhooks.")


def test_a_fault_in_the_stores_own_words_repeats_them() -> None:
    (case,) = (case for case in API if case.name == "own-500")
    assert of_sync(case, "store").sentence == "The store failed with an error of its own (status 500: Out of tea)."


def test_a_row_may_blame_another_than_its_kind() -> None:
    marks = (Mark("any"),)
    usual = Signature("x", ServerFault, "It.", "Do.", (), marks)
    other = Signature("x", ServerFault, "It.", "Do.", (), marks, other_blame=Blame.RECORD)
    assert (usual.blame, other.blame) == (Blame.NOBODY, Blame.RECORD)


def test_each_code_has_one_wording_and_one_kind() -> None:
    for row in SIGNATURES:
        assert TEXTS[row.code] == (row.sentence, row.hint) or row.scope != "both"
        assert {each.kind for each in SIGNATURES if each.code == row.code} == {row.kind}


def test_an_error_without_an_answer_comes_from_the_same_table() -> None:
    error = error_named("no_credentials", "mautic")
    assert (error.sentence, error.blame) == ("No credentials for Mautic are entered.", Blame.CONNECTION)
    assert isinstance(error_named("plain_permalinks", "store", status=301), NotSetUp)
    with pytest.raises(KeyError):
        error_named("no_credentials", "store")
