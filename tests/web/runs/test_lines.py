"""The lines of a run: a page of them, filtered, followed while it goes."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import event, insert

from integration.models import RunLine, RunState
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.queries import runs as querie_runs
from tests.web.conftest import Person, text_of
from tests.web.runs.conftest import end


def test_a_run_shows_its_lines_and_asks_for_more_while_it_goes(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    going = viewer.get(page)
    assert "Read page 1 of 4." in text_of(going)
    assert 'data-live-every="5"' in going.text
    end(services, run_id, RunState.COMPLETED)
    assert "data-live=" not in viewer.get(page).text


def test_a_page_that_follows_gets_the_new_lines_and_the_figures(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    with services.db.write() as session:
        run_lifecycle.add_line(session, services.clock.now(), run_id, "Read page 2 of 4.")
    part = viewer.get(f"{page}?after=1", headers={"HX-Request": "true"}).text
    assert "Read page 2 of 4." in part
    assert "Read page 1 of 4." not in part
    assert '<div id="run" hx-swap-oob="true">' in part
    assert "after=2" in part
    assert "<html" not in part


def test_a_run_with_200_000_lines_reads_a_page_of_them_only(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    now = services.clock.now()
    rows = [{"run_id": run_id, "at": now, "level": "info", "text": f"Line {n} of it."} for n in range(200_000)]
    with services.db.write() as session:
        session.execute(insert(RunLine), rows)
    fetched: list[int] = []

    def note(target: RunLine, context: Any) -> None:
        fetched.append(target.id)

    event.listen(RunLine, "load", note)
    shown = text_of(viewer.get(page))
    event.remove(RunLine, "load", note)
    assert len(fetched) == querie_runs.RUN_LINES_MAX_ROWS + 1
    assert "Line 199999 of it." in shown
    assert "Older lines" in shown


def test_lines_are_filtered_by_level_and_followed_backwards(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    with services.db.write() as session:
        run_lifecycle.add_line(session, services.clock.now(), run_id, "It went wrong.", "error")
    assert "Read page 1" not in text_of(viewer.get(f"{page}?level=error"))
    assert "It went wrong." in text_of(viewer.get(f"{page}?level=error"))
    odd = text_of(viewer.get(f"{page}?level=odd&before=2&after=x"))
    assert "Read page 1" in odd
    assert "There is no level “odd”" in odd
    assert "“x” is no whole number" in odd


def test_lines_are_found_by_a_text_and_followed_with_it(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    with services.db.write() as session:
        run_lifecycle.add_line(session, services.clock.now(), run_id, "Read page 2 of 4.")
    found = viewer.get(f"{page}?text=PAGE+2")
    assert "Read page 2" in text_of(found)
    assert "Read page 1" not in text_of(found)
    assert "after=2&amp;text=PAGE+2" in found.text
    assert "There are no such lines." in text_of(viewer.get(f"{page}?text=%25"))


def test_the_page_stops_following_when_the_run_has_ended(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    assert "data-live-pause" in viewer.get(page).text
    end(services, run_id, RunState.COMPLETED)
    part = viewer.get(f"{page}?after=1", headers={"HX-Request": "true"}).text
    assert "data-live=" not in part
    assert "Last refreshed" not in part
    assert re.search(r'id="live-run"\s+hx-swap-oob="true"></div>', part)
    assert "Completed" in part
