"""The recorded sessions: what was done between the recordings, and how simultaneous requests are sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mautic_replay import FOLDER, INDEX, Exchange, Replay, load

from integration.clock import SetClock
from integration.sandbox.mautic import MauticServer

BEGAN = datetime(2026, 11, 20, 19, 52, 28, tzinfo=UTC)
SECOND_SESSION = 365

#: Recordings that are not compared, with the reason.
UNCOVERED = {
    "190-concurrent-4-batches-same-emails": "Which rows win is chance; one batch is set-up.",
}

#: Places (regular expressions) where the stand-in may differ, with the reason.
EXCUSED = {
    # Mixed by chance.
    "188-concurrent-8-fields-one-contact": (r"\.(city|phone|mobile|fax|address1|address2|zipcode)\b",),
    "191-concurrent-10-tags-one-contact": (r"^\.contact\.tags",),  # Mixed by chance; 192 compares the outcome.
    "193-concurrent-8-new-with-same-new-tag": (r"tags\[0\]\.id$",),  # Real Mautic made the tag four times.
    "274-field-values": (r"core\.f_select\.value$",),  # A number in one place of one answer, text in all others.
    "288-field-value-bool-false": (r"core\.f_bool\.",),  # The old value in one place, the new one in `all`.
    "332-contact-activity": (r"segment_membership|^\.events\[[56]\]\.eventId$",),  # Ids of a log of many kinds.
    "351-forbidden-allowed-read": (r"^\.total$",),  # Simultaneous creates made more contacts there.
    "359-rate-limit": (r"^\.total$",),
    "363-after-restart": (r"^\.total$",),
}


def new_server(at: datetime = BEGAN, version: str = "5.2.1") -> MauticServer:
    """Return a stand-in like the recorded Mautic: one user, one client named yard."""
    server = MauticServer(clock=SetClock(at), version=version)
    server.credentials.client_name = "yard"
    for table in (server.state.users, server.state.roles):
        table.pop(2)
        table.pop(3)
    server.state._last_ids.update(users=1, roles=1)
    return server


def play_all(version: str = "5.2.1", folders: tuple[Path, ...] = (FOLDER,)) -> tuple[Replay, Replay]:
    """Play both recorded sessions from the beginning, on a stand-in of that version."""
    first = [name for name in INDEX if int(name[:3]) < SECOND_SESSION]
    second = [name for name in INDEX if int(name[:3]) >= SECOND_SESSION]
    return _play(first, _nothing, version, folders), _play(second, _second_setup, version, folders)


def _play(names: list[str], setup: Callable[[Replay], None], version: str, folders: tuple[Path, ...]) -> Replay:
    server = new_server(_moment(load(names[0])[0]), version)
    with server:
        replay = Replay(server, folders=folders)
        replay.fetch_token()
        setup(replay)
        for name in names:
            _one(replay, name)
    return replay


def _one(replay: Replay, name: str) -> None:
    number = int(name[:3])
    _set_clock(replay, load(name)[0])  # The times of one session, whichever version answered.
    BEFORE.get(number, _nothing)(replay)
    PLAYS.get(number, _in_order)(replay, name)
    AFTER.get(number, _nothing)(replay)


def _moment(exchange: Exchange) -> datetime:
    said = exchange.recorded.headers["date"]
    return datetime.strptime(said, "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=UTC)


def _set_clock(replay: Replay, exchange: Exchange) -> None:
    clock = replay.server.state.clock
    assert isinstance(clock, SetClock)
    ahead = (_moment(exchange) - clock.now()).total_seconds()
    if ahead > 0:
        clock.advance(seconds=ahead)


def _nothing(replay: Replay) -> None:
    pass


def _in_order(replay: Replay, name: str) -> None:
    pairs = []
    for timed, exchange in zip(load(name), replay.load(name), strict=True):
        _set_clock(replay, timed)
        pairs.append(replay.exchange(exchange))
    replay.answers[name] = pairs


def _race(replay: Replay, name: str) -> None:
    """Send those together that created something, then the others, as their answers show."""
    exchanges = replay.load(name)
    together = [each for each in exchanges if each.recorded.status == 201]
    late = [each for each in exchanges if each.recorded.status != 201]
    replay.answers[name] = replay.at_once(together) + [replay.exchange(each) for each in late]


def _race_for_field(replay: Replay, name: str) -> None:
    """Send all together; one is first, whichever, so answers are put side by side in the order of status."""
    pairs = replay.at_once(replay.load(name))
    recorded = sorted((each for each, _ in pairs), key=lambda answer: answer.status)
    got = sorted((each for _, each in pairs), key=lambda answer: answer.status)
    replay.answers[name] = list(zip(recorded, got, strict=True))


def _by_tag_id(replay: Replay, name: str) -> None:
    def tag_id(exchange: Exchange) -> int:
        wanted = json.loads(exchange.request["body"])["tags"][0]
        return next(row["id"] for row in exchange.recorded.body["contact"]["tags"] if row["tag"] == wanted)

    replay.answers[name] = [replay.exchange(each) for each in sorted(replay.load(name), key=tag_id)]


def _by_contact_id(replay: Replay, name: str) -> None:
    ordered = sorted(replay.load(name), key=lambda each: each.recorded.body["contact"]["id"])
    replay.answers[name] = [replay.exchange(each) for each in ordered]


def _one_batch(replay: Replay, name: str) -> None:
    exchange = replay.load(name)[1]
    pair = replay.exchange(exchange)
    for old, new in zip(exchange.recorded.body["contacts"], pair[1].body["contacts"], strict=True):
        replay.ids[old["id"]] = new["id"]
    replay.call("POST", "/api/contacts/new", {"firstname": "S0", "email": "cb1@example.com"})
    replay.answers[name] = [pair]


def _expire(replay: Replay) -> None:
    replay.server.authentication.expire()


def _edit_ada(**values: str) -> Callable[[Replay], None]:
    return lambda replay: _ok(replay.call("PATCH", "/api/contacts/2/edit", values).status)


def _ok(status: int) -> None:
    assert status in (200, 201), status


def _delete_all_but_one(replay: Replay) -> None:
    for number in range(249, 255):
        _ok(replay.call("DELETE", f"/api/contacts/{number}/delete").status)


def _unsubscribe(replay: Replay) -> None:
    _ok(replay.call("POST", "/api/contacts/2/dnc/email/add", {"reason": 1}).status)


def _contact_without_address(replay: Replay) -> None:
    _ok(replay.call("POST", "/api/contacts/2/dnc/email/remove").status)
    answer = replay.call("POST", "/api/contacts/new", {"firstname": "NoAddress"})
    replay.ids[278] = answer.body["contact"]["id"]


def _switch(kind: str) -> Callable[[Replay], None]:
    return lambda replay: replay.server.faults.clear() or replay.server.faults.add(kind) and None


def _limit(replay: Replay) -> None:
    replay.server.faults.clear()
    replay.server.faults.rate_limit(3)


def _stop_database(replay: Replay) -> None:
    replay.server.faults.clear()
    replay.server.faults.status(500, body=replay.server.database_down())


def _mend(replay: Replay) -> None:
    replay.server.faults.clear()


def _stop_php(replay: Replay) -> None:
    replay.server.faults.status(502)


def _second_setup(replay: Replay) -> None:
    """Make contact 1; the others were made between the recordings."""
    _ok(replay.call("POST", "/api/contacts/new", {"email": "twice@example.com", "firstname": "Twice"}).status)


def _company_of(replay: Replay) -> None:
    if replay.server.major >= 7:
        replay.ids[265] = replay.ids.get(279, 279)  # What the contact of 338 is called in that recording.


def _thrice(replay: Replay) -> None:
    if replay.server.major >= 7:
        replay.ids.update({3: 2, 4: 2, 5: 3})  # The same id twice made no second contact before.
    _ok(replay.call("POST", "/api/contacts/new", {"email": "thrice@example.com", "firstname": "Thrice"}).status)


def _mix(replay: Replay) -> None:
    _ok(replay.call("POST", "/api/contacts/new", {"email": "mix@example.com", "firstname": "Mix"}).status)


BEFORE: dict[int, Callable[[Replay], None]] = {
    18: _expire,
    111: _edit_ada(firstname="Ada", phone="+44", city="Paris"),
    186: _delete_all_but_one,
    321: _unsubscribe,
    322: _contact_without_address,
    339: _company_of,
    354: _switch("basic_disabled"),
    355: _switch("api_disabled"),
    359: _limit,
    360: _stop_database,
    363: _mend,
    364: _stop_php,
    368: _thrice,
    370: _mix,
}
PLAYS: dict[int, Callable[[Replay, str], None]] = {
    175: _race,
    177: _race,
    187: _race,
    190: _one_batch,
    191: _by_tag_id,
    193: _by_contact_id,
    304: _race_for_field,
}
AFTER: dict[int, Callable[[Replay], None]] = {18: Replay.fetch_token}
