"""How much is kept and for how long, by commands as on the page Storage."""

from __future__ import annotations

from integration.cli import console
from integration.models.organisation import Organisation
from tests.cli.conftest import Run


def test_what_is_kept_is_shown_and_other_days_are_set(quick: Run) -> None:
    shown = quick("storage", "show", "--json").json
    assert shown["keep"]["errors"] == 180
    assert shown["rows"][0]["kind"] == "Sync Log entries"
    assert shown["database_bytes"] > 0
    assert quick("storage", "set", "errors=200", "--json").json == {"errors": [180, 200]}
    less = quick("storage", "set", "errors=30", "runs=100")
    assert (less.code, "Sync Log, errors (days). Keep less?" in less.err) == (2, True)
    assert quick("storage", "show", "--json").json["keep"]["runs"] == 90
    done = quick("storage", "set", "errors=30", "runs=100", "--yes", "--json").json
    assert done == {"errors": [200, 30], "runs": [90, 100]}
    [entry] = quick("audit", "list", "--limit", "1", "--json").json
    assert (entry["action"], entry["entity"], entry["diff"]) == ("UPDATED", "retention", done)
    assert quick("storage", "set", "errors=30").out == "Nothing has changed.\n"


def test_no_number_of_days_and_no_kind_is_said(quick: Run) -> None:
    unknown, odd = quick("storage", "set", "carts=3"), quick("storage", "set", "errors=0", "--yes")
    assert (unknown.code, "There is no number “carts”" in unknown.err) == (1, True)
    assert (odd.code, "“0” is no number of days" in odd.err) == (1, True)
    assert quick("storage", "set", "errors").code == 2


def test_of_several_organisations_one_is_named(quick: Run) -> None:
    quick("storage", "show")
    with console.opened() as services, services.db.write() as session:
        session.add(Organisation(name="Other", created_at=services.clock.now()))
    several, unknown = quick("storage", "set", "runs=100"), quick("storage", "show", "--organisation=Nobody")
    assert (several.code, "There are several organisations." in several.err) == (1, True)
    assert (unknown.code, "There is no organisation “Nobody”." in unknown.err) == (1, True)
    assert quick("storage", "set", "runs=100", "--organisation=Other").code == 0
    assert quick("storage", "show", "--organisation=Other", "--json").json["keep"]["runs"] == 100
    assert quick("storage", "show", "--organisation=My shop", "--json").json["keep"]["runs"] == 90
