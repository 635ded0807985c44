"""The Sync Log on Tools (P80 to P90): what it shows, who may clear it, what a wrong address does."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.models import AuditEntry
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.web.tools.export import cell
from tests.bench_data import fill_log
from tests.web.conftest import Person, text_of

COLUMNS = ["Time (UTC)", "Type", "Object ID", "Action", "Status", "Contact ID", "Message"]


@pytest.fixture
def tools(connector_id: int) -> str:
    return f"/connectors/{connector_id}/tools"


@pytest.fixture
def log(services: Services, connector_id: int, clock: SetClock) -> int:
    """A log of 60 entries over ten days and the number of them."""
    fill_log(services.db, connector_id, 60, clock.now(), minutes=60 * 24 * 10)
    return 60


def rows(page: str) -> list[str]:
    return re.findall(r"<tr>\s*<td.*?</tr>", page, re.DOTALL)


def write(services: Services, connector_id: int, message: str, **values: object) -> None:
    entry = sync_log_writing.Entry(
        connector_id, services.clock.now(), "order", "1042", "create_or_update", message=message, **values
    )  # type: ignore[arg-type]
    with services.db.write() as session:
        sync_log_writing.record(session, [entry])


def test_the_tab_shows_the_total_and_opens_the_table(viewer: Person, tools: str, log: int) -> None:
    closed = viewer.get(tools)
    assert "60 entries in total." in text_of(closed)
    assert "View Sync Log" in text_of(closed)
    assert "<table" not in closed.text
    opened = viewer.get(f"{tools}/log")
    assert re.findall(r"<th scope=\"col\">([^<]+)", opened.text) == COLUMNS


def test_there_are_25_rows_with_the_page_number_between_prev_and_next(viewer: Person, tools: str, log: int) -> None:
    page = viewer.get(f"{tools}/log?page=2")
    assert len(rows(page.text)) == 25
    assert "Prev page 2 of 3 Next" in text_of(page)


@pytest.mark.parametrize(("size", "shown"), [("10", 10), ("50", 50), ("3", 10), ("9999", 60)])
def test_the_number_of_rows_can_be_chosen(viewer: Person, tools: str, log: int, size: str, shown: int) -> None:
    assert len(rows(viewer.get(f"{tools}/log?size={size}").text)) == shown


def test_filters_stand_in_the_address_and_stay_on_the_next_page(viewer: Person, tools: str, log: int) -> None:
    page = viewer.get(f"{tools}/log?type=order&size=10")
    assert "40 entries found." in text_of(page)
    assert re.search(r'rel="next" href="[^"]*type=order[^"]*page=2', page.text.replace("&amp;", "&"))


@pytest.mark.parametrize("bad", ["type=nonsense", "since=yesterday", "page=x", "size=many", "status=%00"])
def test_a_wrong_filter_gives_the_page(viewer: Person, tools: str, log: int, bad: str) -> None:
    page = viewer.get(f"{tools}/log?{bad}")
    assert page.status_code == 200
    assert rows(page.text)


def test_ids_lead_into_mautic_and_the_store(viewer: Person, services: Services, tools: str, connector_id: int) -> None:
    write(services, connector_id, "Contact updated.", contact_id=77, source_id="1042")
    page = viewer.get(f"{tools}/log").text.replace("&amp;", "&")
    assert "https://127.0.0.1:9/s/contacts/view/77" in page
    assert "https://127.0.0.1:9/wp-admin/admin.php?page=wc-orders&action=edit&id=1042" in page


def test_the_utc_time_stands_behind_the_sites_time(
    viewer: Person, services: Services, tools: str, connector_id: int
) -> None:
    with services.db.write() as session:
        from integration.models import Connector

        session.get_one(Connector, connector_id).store_facts = {"timezone": "Europe/Rome"}
    write(services, connector_id, "Contact updated.")
    page = viewer.get(f"{tools}/log").text
    assert "Time (Europe/Rome)" in page
    assert 'title="2026-11-20 12:00:00 UTC">20 Nov 2026, 13:00:00 CET' in page


def test_a_message_cannot_become_markup(viewer: Person, services: Services, tools: str, connector_id: int) -> None:
    write(services, connector_id, "<script>alert(1)</script>")
    page = viewer.get(f"{tools}/log").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_empty_log_says_what_would_fill_it(viewer: Person, tools: str) -> None:
    assert "The log is empty. The first sync fills it" in text_of(viewer.get(f"{tools}/log"))


def test_support_clears_the_log_after_a_confirmation(
    support: Person, tools: str, log: int, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    asked = support.get(f"{tools}/clear")
    assert "This removes all 60 entries" in text_of(asked)
    assert "Contacts in Mautic and the data of the store stay as they are." in text_of(asked)
    done = support.post(f"{tools}/clear", {"scope": "all"}, follow_redirects=True)
    assert "60 entries were cleared" in text_of(done)
    assert "0 entries in total." in text_of(done)
    [entry] = audit_of("LOG_CLEARED")
    assert (entry.actor, entry.diff["entries"]) == ("support@example.com", [60, 0])


def test_a_page_that_was_left_open_clears_what_it_said(
    support: Person, tools: str, log: int, services: Services, connector_id: int
) -> None:
    asked = support.get(f"{tools}/clear")
    form = dict(re.findall(r'name="(scope|days|upto)"\s+value="([^"]*)"', asked.text))
    for number in range(3):
        write(services, connector_id, f"Later {number}.")
    done = support.post(f"{tools}/clear", form, follow_redirects=True)
    assert "60 entries were cleared" in text_of(done)
    assert "3 entries in total." in text_of(done)
    shown = support.get(f"{tools}/log?status=success")
    assert "3 entries found." in text_of(shown)
    assert len(rows(shown.text)) == 3
    again = support.post(f"{tools}/clear", form, follow_redirects=True)
    assert "0 entries were cleared" in text_of(again)
    refused = support.post(f"{tools}/clear", {**form, "upto": "x"}, follow_redirects=True)
    assert "It was not understood which entries are meant." in text_of(refused)
    assert "3 entries in total." in text_of(refused)


def test_it_is_said_how_many_entries_are_old(support: Person, tools: str, log: int) -> None:
    asked = support.get(f"{tools}/clear?scope=older&days=5")
    told = re.search(r"This removes (\d+) entries older than 5 days", text_of(asked))
    assert told
    form = dict(re.findall(r'name="(scope|days|upto)"\s+value="([^"]*)"', asked.text))
    done = support.post(f"{tools}/clear", form, follow_redirects=True)
    assert f"{told[1]} entries were cleared from the Sync Log older than 5 days." in text_of(done)
    nothing = support.get(f"{tools}/clear?scope=older&days=5")
    assert "has no entry older than 5 days." in text_of(nothing)
    assert "Clear old entries" not in text_of(nothing)


def test_support_clears_what_is_older_than_some_days(
    support: Person, tools: str, log: int, clock: SetClock, services: Services
) -> None:
    done = support.post(f"{tools}/clear", {"scope": "older", "days": "5"}, follow_redirects=True)
    left = int(re.search(r"(\d+) entries in total", text_of(done))[1])  # type: ignore[index]
    assert 0 < left < 60
    oldest = text_of(support.get(f"{tools}/log?size=100"))
    limit = clock.now() - timedelta(days=5, hours=1)
    assert f"{limit.day - 1} Nov 2026" not in oldest


@pytest.mark.parametrize("days", ["", "0", "-3", "many", "1e3", "99999999999"])
def test_a_wrong_number_of_days_clears_nothing(support: Person, tools: str, log: int, days: str) -> None:
    answer = support.post(f"{tools}/clear", {"scope": "older", "days": days}, follow_redirects=True)
    assert "is no number of days." in text_of(answer)
    assert "60 entries in total." in text_of(answer)


def test_viewers_see_no_button_and_are_refused(viewer: Person, tools: str, log: int) -> None:
    assert "Clear" not in text_of(viewer.get(f"{tools}/log"))
    assert viewer.get(f"{tools}/clear").status_code == 403
    assert viewer.post(f"{tools}/clear", {"scope": "all"}).status_code == 403
    assert "60 entries in total." in text_of(viewer.get(tools))


def test_a_stranger_sees_nothing(stranger: Person, tools: str, log: int) -> None:
    for path in ("", "/log", "/log.csv", "/clear", "/settings.json"):
        assert stranger.get(tools + path).status_code == 404
    assert stranger.post(f"{tools}/clear", {"scope": "all"}).status_code == 404


def test_the_csv_is_the_filtered_log(
    viewer: Person, services: Services, tools: str, log: int, connector_id: int
) -> None:
    write(services, connector_id, "=HYPERLINK(1)", status="error")
    answer = viewer.get(f"{tools}/log.csv?status=error")
    # Excel knows by the mark that the text is UTF-8.
    assert answer.data.startswith(b"\xef\xbb\xbftime,")
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert table[0] == ["time", "type", "object_id", "action", "status", "contact_id", "message"]
    assert table[1][6] == "'=HYPERLINK(1)"
    assert {row[4] for row in table[1:]} == {"error"}
    assert len(table) == 1 + 2 + 1


def test_the_json_lines_are_the_whole_log(viewer: Person, tools: str, log: int) -> None:
    lines = viewer.get(f"{tools}/log.jsonl").text.splitlines()
    assert len(lines) == 60
    assert set(json.loads(lines[0])) == {"time", "type", "object_id", "action", "status", "contact_id", "message"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_cannot_become_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_an_admin_takes_the_settings_away_without_secrets(admin: Person, support: Person, tools: str) -> None:
    text = admin.get(f"{tools}/settings.json").text
    assert json.loads(text)["modules"]["orders"]["enabled"] is True
    assert not re.search(r"\bc[ks]_|secret-of|password-of", text)
    assert support.get(f"{tools}/settings.json").status_code == 403
