"""The Dead letters page: badge, causes, columns, ticks, everything that matches, a window of time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from integration.models import AuditEntry, Delivery, Run
from integration.pipeline.runs import progress as run_progress
from integration.pipeline.services import Services
from integration.queries import dead_letters
from integration.words import counted
from tests.web.conftest import Person, Settle, text_of
from tests.web.record_ends import REFUSED

FAULT = {"error_code": "http_500", "message": "Mautic had a fault.", "category": "transient"}


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/dead-letters"


@pytest.fixture
def dead(record: Settle) -> list[int]:
    """Two that were refused, one that met a fault."""
    return [
        record(1, "dead", "a@example.com", **REFUSED),
        record(2, "dead", "b@example.com", **REFUSED),
        record(3, "dead", "c@example.com", **FAULT),
    ]


def states(services: Services, ids: list[int]) -> list[str]:
    with services.db.read() as session:
        return [session.get_one(Delivery, key).state for key in ids]


def test_failures_are_grouped_by_cause(viewer: Person, page: str, dead: list[int]) -> None:
    text = text_of(viewer.get(page))
    assert re.search(r"2 Permanent Mautic refused the e-mail\. refused", text)
    assert re.search(r"1 Transient Mautic had a fault\. http_500", text)


def test_the_menu_says_how_many_wait(viewer: Person, connector_id: int, dead: list[int], services: Services) -> None:
    with services.db.read() as session:
        assert dead_letters.waiting(session, connector_id) == 3
    assert re.search(
        r"Dead letters\s*<span class=\"menu-badge[^>]*>3<", viewer.get(f"/connectors/{connector_id}/").text
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("", 3),
        ("category=permanent", 2),
        ("code=http_500", 1),
        ("kind=contact", 0),
        ("source=2", 1),
        ("status=replayed", 0),
        ("since=2026-11-20T13:00", 0),
        ("category=odd&since=never", 3),
    ],
)
def test_the_filters_find_their_dead_letters(
    viewer: Person, page: str, dead: list[int], address: str, shown: int
) -> None:
    text = text_of(viewer.get(f"{page}?{address}"))
    assert (f"{counted(shown, 'dead letter')} found." in text) == (shown > 0)


def test_the_ticked_ones_are_sent_again_with_a_count(
    viewer: Person, support: Person, page: str, dead: list[int], services: Services
) -> None:
    assert viewer.post(f"{page}/ticked", {"id": dead[:1], "act": "replay"}).status_code == 403
    answer = support.post(f"{page}/ticked", {"id": [*dead[:2], 999], "act": "replay"}, follow_redirects=True)
    assert "2 queued to be sent again; 1 left out because they wait no more." in text_of(answer)
    assert states(services, dead) == ["ready", "ready", "dead"]
    assert "2 dead letters found." in text_of(support.get(f"{page}?status=replayed"))
    assert "No record was ticked." in text_of(support.post(f"{page}/ticked", {"act": "replay"}, follow_redirects=True))


def test_the_ticked_ones_are_discarded_with_a_reason(
    support: Person, page: str, dead: list[int], services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    asked = support.post(f"{page}/ticked", {"id": dead[:2], "act": "discard"}, follow_redirects=True)
    assert "2 dead letters ticked will not be sent" in text_of(asked)
    assert support.post(f"{page}/discard", {"id": dead[:2], "reason": ""}).status_code == 400
    support.post(f"{page}/discard", {"id": dead[:2], "reason": "Tests."})
    assert states(services, dead) == ["discarded", "discarded", "dead"]
    assert "2 dead letters found." in text_of(support.get(f"{page}?status=discarded"))
    assert audit_of("DISCARDED")[0].diff["reason"] == ["", "Tests."]


def test_everything_that_matches_is_sent_again_in_a_run(
    support: Person, page: str, dead: list[int], services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    assert "2 dead letters that match the filter (category permanent)" in text_of(
        support.get(f"{page}/replay?category=permanent")
    )
    answer = support.post(f"{page}/replay", {"category": "permanent", "everything": "yes"})
    run_id = int(answer.location.rsplit("/", 1)[1])
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
    assert (run.kind, run.options["filter"]) == ("replay", {"category": "permanent"})
    assert "going already" in text_of(support.post(f"{page}/replay", {"everything": "yes"}, follow_redirects=True))
    assert len(audit_of("REPLAYED")) == 1


def test_a_window_of_time_is_recovered(support: Person, page: str, dead: list[int], services: Services) -> None:
    nothing = support.post(f"{page}/window", {"what": "failed", "since": "soon"}, follow_redirects=True)
    assert "“soon” is no time" in text_of(nothing)
    support.post(f"{page}/window", {"what": "failed", "since": "2026-11-20T00:00"})
    support.post(f"{page}/window", {"what": "changed", "since": "2026-11-20T00:00"})
    with services.db.read() as session:
        kinds = {run.kind: run.options for run in session.query(Run)}
    assert kinds["replay"]["filter"] == {"since": "2026-11-20T00:00"}
    assert kinds["bulk"]["since"].startswith("2026-11-20T00:00")


def test_an_empty_page_says_that_nothing_waits(viewer: Person, page: str) -> None:
    assert "Nothing waits for you" in text_of(viewer.get(page))


def test_a_stranger_sees_and_does_nothing(stranger: Person, page: str, dead: list[int], services: Services) -> None:
    for path in ("", "/replay", "/discard"):
        assert stranger.get(f"{page}{path}").status_code == 404
    for path in ("/ticked", "/replay", "/discard", "/window"):
        values = {"id": dead, "act": "replay", "reason": "x", "since": "2026-11-20T00:00"}
        assert stranger.post(f"{page}{path}", values).status_code == 404
    assert states(services, dead) == ["dead"] * 3
    with services.db.read() as session:
        assert run_progress.latest(session, 1) is None


def test_a_record_that_failed_often_is_shown_once_and_counted(
    viewer: Person, page: str, record: Settle, connector_id: int, services: Services
) -> None:
    first = record(7, "dead", "a@example.com", **REFUSED)
    newest = record(7, "dead", "a@example.com", **REFUSED)
    text = text_of(viewer.get(page))
    assert "1 dead letter found." in text
    assert "2 times since" in text
    closed = text_of(viewer.get(f"{page}?status=closed"))
    assert "1 dead letter found." in closed
    told = viewer.get(f"/connectors/{connector_id}/records/{first}")
    assert f"/connectors/{connector_id}/records/{newest}" in told.text
    assert "Another try of the same record stands for it" in text_of(told)
    with services.db.read() as session:
        assert dead_letters.waiting(session, connector_id) == 1


def test_a_cause_names_no_persons_address(viewer: Person, page: str, record: Settle) -> None:
    said = {"error_code": "email_invalid", "message": "“ada@x” is no address.", "category": "permanent"}
    record(8, "dead", "a@example.com", **said)
    causes = text_of(viewer.get(page)).partition("Status Pending")[0]
    assert "is no address. email_invalid" in causes
    assert "ada@x" not in causes


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/discard", {"reason": "Tests."}),
        ("/discard", {"reason": "Tests.", "id": ["abc"]}),
        ("/discard", {"reason": "Tests.", "id": ["1", "²"]}),
        ("/discard", {"reason": "Tests.", "id": [str(2**64)]}),
        ("/discard", {"reason": "Tests.", "everything": "yes", "category": "odd"}),
        ("/discard", {"reason": "Tests.", "everything": "yes", "since": "soon"}),
        ("/replay", {}),
        ("/replay", {"id": ["x"]}),
        ("/replay", {"everything": "no"}),
        ("/replay", {"everything": "yes", "kind": "cats"}),
        ("/ticked", {"act": "replay", "id": ["1", "x"]}),
        ("/ticked", {"act": "replay", "id": [str(number) for number in range(501)]}),
        ("/window", {"what": "failed", "since": "2026-11-20T00:00", "category": "odd"}),
        ("/window", {"since": "2026-11-20T00:00"}),
    ],
)
def test_a_selection_that_cannot_be_understood_changes_nothing(
    support: Person, page: str, dead: list[int], services: Services, connector_id: int, path: str, form: dict[str, Any]
) -> None:
    answer = support.post(f"{page}{path}", form)
    assert answer.status_code == 400
    assert "Nothing was changed" in text_of(answer) or "Choose" in text_of(answer)
    assert states(services, dead) == ["dead"] * 3
    with services.db.read() as session:
        assert run_progress.latest(session, connector_id) is None


@pytest.mark.parametrize("query", ["id=abc", "category=odd", "since=soon"])
def test_a_question_about_an_unreadable_selection_is_not_asked(support: Person, page: str, query: str) -> None:
    assert support.get(f"{page}/discard?{query}").status_code == 400
    assert support.get(f"{page}/replay?{query}").status_code == 400
