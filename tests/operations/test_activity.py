"""The activity feed: what it tells, in which order, and to whom."""

from __future__ import annotations

from datetime import timedelta

from integration.models import AuditAction, Hold
from integration.models.alert import Alert
from integration.models.drift import Gap, Reconciliation
from tests.operations.activity_feed import MINUTE, add, ago, ask, change, deliver, delivery, run, told
from tests.operations.conftest import NOW, Scene


def test_a_run_is_told_when_it_starts_and_when_it_ends(scene: Scene) -> None:
    add(scene, run(1, 60, 30, trigger="ann@owner.test", pulled=1200, pushed=1100, skipped=90, failed=10))
    add(scene, run(2, 20, 10, state="FAILED", error="The store did not answer."), run(3, 5, kind="initial"))
    assert told(scene) == [
        ("run", "Initial import 3 started."),
        ("run", "Full sync 2 failed: 0 read, 0 sent, 0 skipped, 0 failed."),
        ("run", "Full sync 2 started."),
        ("run", "Full sync 1 completed: 1,200 read, 1,100 sent, 90 skipped, 10 failed."),
        ("run", "Full sync 1 started."),
    ]
    feed = ask(scene)
    assert [event.level for event in feed.events] == ["info", "bad", "info", "warn", "info"]
    assert feed.events[1].detail == "The store did not answer."
    assert (feed.events[4].detail, feed.events[4].about) == ("Started by ann@owner.test.", {"run_id": 1})


def test_polls_that_found_nothing_are_told_only_when_asked_for(scene: Scene) -> None:
    add(scene, run(1, 30, 29, kind="incremental"), run(2, 20, 19, kind="incremental", pulled=1))
    add(scene, run(3, 10, kind="incremental"))
    assert told(scene) == [
        ("run", "Incremental sync 3 started."),
        ("run", "Incremental sync 2 completed: 1 read, 0 sent, 0 skipped, 0 failed."),
    ]
    assert told(scene, kind="poll") == [("poll", "Incremental sync 1 completed: 0 read, 0 sent, 0 skipped, 0 failed.")]


def test_conditions_are_told_when_they_begin_and_end(scene: Scene) -> None:
    why = {"sentence": "Mautic did not answer.", "connector_id": 1}
    add(scene, Hold(service="mautic", code="x", since=ago(90), probe_at=NOW, released_at=ago(30), **why))
    add(scene, Alert(cause="held", since=ago(80), ended_at=ago(29), **why))
    add(scene, Alert(cause="dead", since=ago(10), sentence="Records fail.", connector_id=1))
    add(scene, Gap(connector_id=1, cause="silent", sentence="None for an hour.", noticed_at=ago(50), healed_at=ago(40)))
    done = {"state": "COMPLETED", "pulled": 1000, "missing": 2, "differs": 1, "ended_at": ago(5)}
    add(scene, Reconciliation(connector_id=1, trigger="schedule", created_at=ago(8), **done))
    assert [title for _, title in told(scene)] == [
        "Reconciliation 1 ended: 1,000 people looked at, 2 missing, 1 different.",
        "Reconciliation 1 started.",
        "Alert: Records fail.",
        "Over after 51 minutes: Mautic did not answer.",
        "Sending to Mautic goes on.",
        "Webhooks come again: 0 records were fetched that they had missed.",
        "Webhooks did not come: None for an hour.",
        "Alert: Mautic did not answer.",
        "Sending to Mautic is on hold: Mautic did not answer.",
    ]
    assert "on hold for 1 hour" in ask(scene, kind="hold").events[0].detail


def test_failed_records_are_one_event_a_minute_and_cause(scene: Scene) -> None:
    minute = ago(10).replace(second=0, microsecond=0)
    rows = [delivery(number, minute + timedelta(seconds=5 * number)) for number in range(12)]
    rows += [delivery(20, minute + 3 * MINUTE, error_code="other", error="No e-mail address."), delivery(21, ago(60))]
    gone = {"died_at": ago(120), "error_code": "", "error": ""}
    rows += [delivery(30, ago(100), "delivered", **gone)]
    deliver(scene, rows)
    feed = ask(scene)
    assert [event.title for event in feed.events] == [
        "1 record failed: No e-mail address.",
        "12 records failed: Mautic refused the e-mail address.",
        "1 record failed: Mautic refused the e-mail address.",
        "1 record failed.",
    ]
    assert feed.events[1].at == minute + timedelta(seconds=55)
    assert (feed.events[3].level, feed.events[3].detail) == ("muted", "Dealt with since.")


def test_a_minute_says_how_many_still_wait(scene: Scene) -> None:
    minute = ago(10).replace(second=0, microsecond=0)
    sent = [delivery(number, minute, "discarded", died_at=minute) for number in range(3)]
    deliver(scene, [*sent, delivery(9, minute)])
    [event] = ask(scene).events
    assert (event.level, event.detail) == ("bad", "1 of them still wait; the others were dealt with.")


def test_conflicts_are_told_by_the_minute(scene: Scene) -> None:
    values = {"error_code": "conflict", "error": "The city was kept."}
    deliver(scene, [delivery(number, ago(10), "conflict", **values) for number in range(3)])
    assert told(scene) == [
        ("conflict", "3 contacts were changed in Mautic by somebody else; those values were kept."),
    ]


def test_changes_are_told_whole_only_to_those_who_may_see_them(scene: Scene) -> None:
    change(scene, diff={"orders.notes": [False, True]}, minutes=3)
    for quiet in (AuditAction.SIGNED_IN, AuditAction.SYNC_TRIGGERED, AuditAction.USER_CHANGED):
        change(scene, quiet)
    change(scene, AuditAction.PAUSED, entity="Shop 1", minutes=2)
    assert told(scene) == [("change", "Paused: Shop 1."), ("change", "Changed: settings.")]
    [_, plain] = ask(scene).events
    assert (plain.actor, dict(plain.diff)) == ("", {})
    [_, whole] = ask(scene, whole=True).events
    assert (whole.actor, dict(whole.diff)) == ("ann@owner.test", {"orders.notes": [False, True]})


def test_only_the_wanted_connectors_are_told_of(scene: Scene) -> None:
    add(scene, run(1, 10), run(2, 5, connector_id=2))
    change(scene, connector_id=2, minutes=4)
    change(scene, connector_id=None, entity="the organisation", minutes=3)
    change(scene, connector_id=None, organisation_id=2, minutes=3)
    assert told(scene) == [("run", "Full sync 1 started.")]
    everything = ["Changed: the organisation.", "Changed: settings.", "Full sync 2 started.", "Full sync 1 started."]
    assert [title for _, title in told(scene, scope="all")] == everything
    assert [event.connector_id for event in ask(scene, scope="all").events] == [None, 2, 2, 1]
