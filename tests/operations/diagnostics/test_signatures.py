"""Every known failure, M01 to M36 and W01 to W35, is recognised with a code, a sentence and what to do."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from integration.clock import Clock
from integration.errors import ServiceError
from integration.http.transport import Answer, Route
from integration.mautic import answers as of_mautic
from integration.mautic.access import MauticAccess, MemoryTokens
from integration.operations.support.diagnostics import Step, mautic_steps, store_steps
from integration.operations.support.diagnostics.catalogue import EVERY
from integration.operations.support.diagnostics.catalogue.known import TEST
from integration.store import answers as of_store
from integration.store.access import StoreAccess
from tests.operations.diagnostics.conftest import Scripted
from tests.operations.diagnostics.signatures import Classified, Elsewhere, Said, Stepped
from tests.operations.diagnostics.signatures_mautic import MAUTIC
from tests.operations.diagnostics.signatures_store import STORE
from tests.operations.diagnostics.signatures_store_sync import STORE_SYNC

ROOT = Path(__file__).parents[3]
SIGNATURES = {**MAUTIC, **STORE, **STORE_SYNC}
IDS = [*(f"M{number:02}" for number in range(1, 37)), *(f"W{number:02}" for number in range(1, 36))]


def cases(kind: type) -> list[object]:
    """Return the cases of one kind, each named by its signature."""
    return [
        pytest.param(case, id=f"{name}-{number}")
        for name, found in SIGNATURES.items()
        for number, case in enumerate(found)
        if isinstance(case, kind)
    ]


def test_every_signature_has_a_case_and_stands_in_the_catalogue() -> None:
    assert sorted(SIGNATURES) == sorted(EVERY) == sorted(IDS)
    assert all(SIGNATURES.values())


@pytest.mark.parametrize("case", cases(Classified))
def test_an_answer_has_its_error(case: Classified) -> None:
    error = error_of(case)
    assert (type(error).__name__, error.code) == (case.kind, case.code)
    assert case.says in error.sentence and case.do in error.hint
    assert error.sentence.endswith(".") and error.hint.endswith(".")


def error_of(case: Classified) -> ServiceError:
    headers = {name.lower(): value for name, value in case.said.headers.items()}
    answer = Answer(case.said.status, headers, case.said.body.encode(), 0.1, "http://site.test/api")
    if case.service == "store":
        found = of_store.classify(answer)
    else:
        found = of_mautic.classify(answer, datetime.now(UTC), basic=case.basic, path=case.path)
    if found is not None:
        return found
    with pytest.raises(ServiceError) as caught:
        (of_store if case.service == "store" else of_mautic).read(answer)
    return caught.value


@pytest.mark.parametrize("case", cases(Stepped))
def test_a_step_names_the_cause_and_what_to_do(case: Stepped, scripted: Scripted) -> None:
    for path, said in case.answers.items():
        say(scripted, path, said)
    step = steps_of(case, scripted.url)[case.number - 1]
    assert (step.state, step.code) == (case.state, case.code)
    assert case.says in step.sentence and case.do in step.hint
    assert step.sentence.endswith(".") and step.hint.endswith(".")


def say(server: Scripted, path: str, said: Said) -> None:
    host = server.url.partition("://")[2]
    headers = {name: value.replace("{host}", host) for name, value in said.headers.items()}
    server.answers[path] = (said.status, headers, said.body.encode())


def steps_of(case: Stepped, url: str) -> list[Step]:
    if case.service == "store":
        access = StoreAccess(url, "ck_" + "1" * 40, "cs_" + "1" * 40)
        return list(store_steps(access, Route(read_timeout=5), writes=True, clock=Clock()))
    known = MauticAccess(url, "basic", user="ada", password="pw")
    return list(mautic_steps(known, MemoryTokens(), (), Clock(), Route(read_timeout=5)))


@pytest.mark.parametrize("case", cases(Elsewhere))
def test_what_is_dealt_with_elsewhere_is_there_and_tested(case: Elsewhere) -> None:
    module, _, name = case.place.partition(":")
    assert hasattr(import_module(module), name)
    path, _, test = case.test.partition("::")
    assert re.search(rf"^def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert case.reason.endswith(".")


@pytest.mark.parametrize("name", IDS)
def test_the_catalogue_says_what_comes_out(name: str) -> None:
    known, found = EVERY[name], SIGNATURES[name]
    assert known.sign.endswith(".") and known.advice.endswith(".")
    codes = {case.code for case in found if not isinstance(case, Elsewhere)}
    sources = [source(import_module(case.place.partition(":")[0])) for case in found if isinstance(case, Elsewhere)]
    assert known.code in codes or any(known.code.casefold() in text for text in sources)


def source(module: ModuleType) -> str:
    return inspect.getsource(module).casefold()


@pytest.mark.parametrize("name", [name for name in IDS if EVERY[name].place == TEST and EVERY[name].code])
def test_what_the_connection_test_notices_is_proved_on_a_connection_test(name: str) -> None:
    steps = [case for case in SIGNATURES[name] if isinstance(case, Stepped)]
    here = [c for c in SIGNATURES[name] if isinstance(c, Elsewhere) and "operations/diagnostics" in c.test]
    credentials = name in ("M05", "M06", "M07", "M08")
    assert steps or here or credentials
