"""The further recordings of 5.2.0 and 7.0.0: what was there before them, and what was done between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mautic_replay import RECORDINGS, Replay
from mautic_session import _set_clock

from integration.clock import SetClock
from integration.sandbox.mautic import MauticServer

FOLDERS = {version: RECORDINGS / f"mautic-{version}-more" for version in ("5.2.0", "7.0.0")}
#: From here on the recordings of 7.0.0 are of a session of its own.
OWN_SESSION = 568
BEFORE_ALL = datetime(2026, 11, 27, 22, 42, 33, tzinfo=UTC)
SHOP = "@shop.example"
PEOPLE = (
    ("Ada", "Lovelace", "ada"),
    ("Ben", "O'Neil", "ben.o'neil"),
    ("Cy", "Plus", "cy+tag"),
    ("Dee", "", "dee_under-dash"),
    ("Eve", "Zoë", "eve@xn--bcher-kva.example"),
    ("Fay", "F", "fay"),
    ("Gus", "G", "gus"),
    ("Hal", "H", "hal"),
    ("Ida", "I", "ida"),
    ("Jim", "J", "jim"),
)
TEMPLATE = {
    "name": "Yard template",
    "subject": "Hello {contactfield=firstname}",
    "customHtml": (
        "<html><body><p>Hello {contactfield=firstname|friend}, order {order}</p>{unsubscribe_text}</body></html>"
    ),
    "plainText": "Hello",
}
CART = {
    "email": f"cart{SHOP}",
    "firstname": "Car",
    "c_area": '[{"sku":"A","qty":2}]',
    "c_html": "<ul><li>2 × A</li></ul>",
    "c_number": 59.9,
    "c_datetime": "2026-11-27 20:00:00",
    "c_url": "https://s.example/checkout-link/?products=1:2&coupon=BACK10",
    "tags": ["abandoned-cart"],
}


def index(version: str) -> list[str]:
    """Return the names of the recordings of a version."""
    return (FOLDERS[version] / "INDEX.txt").read_text().split()


def play_more(version: str) -> dict[str, Any]:
    """Play the recordings of a version; returns (recorded, got) by name."""
    names = index(version)
    first = [name for name in names if int(name[:3]) < OWN_SESSION]
    own = [name for name in names if int(name[:3]) >= OWN_SESSION]
    answers = _play(first, version, _people)
    return answers | (_play(own, version, _one_person) if own else {})


def _play(names: list[str], version: str, setup: Callable[[Replay], None]) -> dict[str, Any]:
    server = _server(version)
    with server:
        replay = Replay(server, folders=(FOLDERS[version],))
        replay.fetch_token()
        replay.server.authentication.tokens[replay.token] = datetime(2027, 1, 1, tzinfo=UTC)
        _set_clock(replay, replay.load(names[0])[0])
        setup(replay)
        for name in names:
            _one(replay, name)
    return replay.answers


def _server(version: str) -> MauticServer:
    """Return a stand-in like the recorded Mautic: two segments and an e-mail are there."""
    server = MauticServer(clock=SetClock(BEFORE_ALL), version=version)
    server.credentials.client_name = "Yard"
    server.state.users[1].update(firstName="Ada", lastName="Admin")
    return server


def _people(replay: Replay) -> None:
    if replay.server.major < 7:
        replay.server.state._last_ids["fields"] += 1  # One was made and deleted there.
    for name in ("One", "Two"):
        _admin(replay, "POST", "/api/segments/new", {"name": name})
    _admin(replay, "POST", "/api/emails/new", TEMPLATE)
    for first, last, address in PEOPLE:
        email = address if "@" in address else f"{address}{SHOP}"
        _client(replay, "POST", "/api/contacts/new", {"firstname": first, "lastname": last, "email": email})


def _one(replay: Replay, name: str) -> None:
    exchanges = replay.load(name)
    _set_clock(replay, exchanges[0])
    BEFORE.get(int(name[:3]), _nothing)(replay)
    pairs = []
    for exchange in exchanges:
        _set_clock(replay, exchange)
        pairs.append(replay.exchange(exchange))
    replay.answers[name] = pairs


def _nothing(replay: Replay) -> None:
    pass


def _admin(replay: Replay, method: str, path: str, body: Any = None) -> Any:
    return _done(replay, method, path, body, "basic (admin)")


def _client(replay: Replay, method: str, path: str, body: Any = None) -> Any:
    return _done(replay, method, path, body, "bearer, valid")


def _done(replay: Replay, method: str, path: str, body: Any, auth: str) -> Any:
    text = None if body is None else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    answer = replay.send({"method": method, "path": path, "headers": headers, "body": text, "auth": auth})
    assert answer.status in (200, 201), answer.text
    return answer.body


def _field(alias: str, kind: str, **about: Any) -> Callable[[Replay], None]:
    sent = {"label": alias, "alias": alias, "type": kind, "group": "core", "object": "lead", **about}
    return lambda replay: _client(replay, "POST", "/api/fields/contact/new", sent) and None


def _patch(number: int, **values: Any) -> Callable[[Replay], None]:
    return lambda replay: _client(replay, "PATCH", f"/api/contacts/{number}/edit", values) and None


def _tag_directly(*names: str) -> Callable[[Replay], None]:
    """Give contact 7 tags whose request was not recorded."""

    def give(replay: Replay) -> None:
        state = replay.server.state
        state.contacts[7].tags += [state.tag_id(name) for name in names]

    return give


def _set_directly(number: int, **values: Any) -> Callable[[Replay], None]:
    return lambda replay: replay.server.state.update(replay.server.state.contacts[number], values)


def _members(replay: Replay) -> None:
    _client(replay, "POST", "/api/segments/3/contacts/add", {"ids": [1, 2, 3, 4, 5]})


def _many_notes(replay: Replay) -> None:
    rows = [{"lead": 9, "text": f"note {number}"} for number in range(200)]
    _client(replay, "POST", "/api/notes/batch/new", rows)


def _without_address(replay: Replay) -> None:
    _client(replay, "POST", "/api/contacts/new", {"firstname": "NoAddress"})


def _to_delete(replay: Replay) -> None:
    for number in range(6):
        _client(replay, "POST", "/api/contacts/new", {"email": f"del{number}{SHOP}"})


def _cart(replay: Replay) -> None:
    replay.server.state.next_id("tags")  # One was made and is gone.
    _client(replay, "POST", "/api/contacts/new", CART)


def _one_person(replay: Replay) -> None:
    _client(replay, "POST", "/api/contacts/new", {"email": "dm@example.com", "firstname": "A"})


def _pairs(replay: Replay) -> None:
    for address in ("dup+a", "dup+b", "p1"):
        _client(replay, "POST", "/api/contacts/new", {"email": f"{address}@example.com"})


def _twins(replay: Replay) -> None:
    """Make two of one address, which was done in the database."""
    for address in ("t1", "t2"):
        _client(replay, "POST", "/api/contacts/new", {"email": f"{address}@example.com"})
    _set_directly(6, email="t1@example.com")(replay)


def _url_255(replay: Replay) -> None:
    if replay.server.major < 7:
        _field("c_url_255", "url", charLengthLimit=255)(replay)


def _willing_again(replay: Replay) -> None:
    _client(replay, "POST", "/api/contacts/1/dnc/email/remove")


def _required_no_longer(replay: Replay) -> None:
    _field("c_unpub", "text")(replay)
    _edit_field(replay, "c_required", isRequired=False)


def _edit_field(replay: Replay, alias: str, **values: Any) -> None:
    number = next(row["id"] for row in replay.server.state.fields.values() if row["alias"] == alias)
    _client(replay, "PATCH", f"/api/fields/contact/{number}/edit", values)


def _without_default(replay: Replay) -> None:
    number = next(row["id"] for row in replay.server.state.fields.values() if row["alias"] == "c_default")
    _client(replay, "DELETE", f"/api/fields/contact/{number}/delete")


BEFORE: dict[int, Callable[[Replay], None]] = {
    409: _willing_again,
    421: _patch(7, tags=['12" pipe', "O'Neil", "back\\slash", "a;b", "a|b", "100%", "a:b"]),
    427: _tag_directly("R&D", "1 ", "bold"),
    415: _patch(11, firstname="B"),
    433: _field("c_text", "text", charLengthLimit=191),
    439: _field(
        "c_multi",
        "multiselect",
        properties={"list": [{"label": each.upper(), "value": each} for each in ("a", "b", "c c")]},
    ),
    445: _url_255,
    451: _field("c_lookup", "lookup", properties={"list": ["one", "two"]}),
    457: _required_no_longer,
    485: _without_default,
    465: _set_directly(12, c_bool=False),
    469: _set_directly(12, c_tel="1" * 65),
    535: _members,
    543: _many_notes,
    553: _without_address,
    559: _to_delete,
    565: _cart,
    571: _pairs,
    572: _twins,
}
