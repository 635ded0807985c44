"""Another kind of record is one stream and one line of the registry: here it takes the whole road."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import pytest

from integration import streams
from integration.errors import MappingError
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.pipeline.ingest import records
from integration.plans import ContactWrite, Plan, Skip
from integration.queries import timeline
from integration.settings import Modules
from integration.streams.base import Labels, Payload, PlanContext, Sighted
from integration.streams.contacts import Contacts
from tests.road.conftest import Road


class Wishes(Contacts):
    """Wish lists, made up for this test: what differs from the stream of customers is told, and nothing else."""

    kind: Kind = Kind.CART
    labels = Labels("Wish list", "Wish lists", "Wish list")
    module = "wishes"
    is_account = False
    phases = change_phases = ()
    skip_reasons: Mapping[str, streams.Explanation] = {
        "empty": streams.Explanation("Nothing is on the list.", "the wish list in the store", "store")
    }

    def is_enabled(self, modules: Modules) -> bool:
        return True

    def parse(self, payload: Payload) -> Payload:  # type: ignore[override]  # a kind of its own
        if not isinstance(payload.get("wishes"), list):
            raise MappingError("bad_list", "The wishes are not a list.", "Look at the list in the store.")
        return payload

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> Change:
        return Change(
            self.kind, str(payload["id"]), "updated", person_key_of(payload["email"]), payload, seen_at, origin
        )

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        wishes = delivery.record["wishes"]
        if not wishes:
            return Skip("empty", "Nothing is on the list.")
        return Plan(ContactWrite(delivery.payload["email"], {"firstname": wishes[0]}, ("wished",)))

    def last_word(self, delivery: Sighted) -> str:
        return ""


@pytest.fixture
def wishes(make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch) -> Road:
    monkeypatch.setitem(streams.STREAMS, Kind.CART, Wishes())
    return make_road()


def wish(road: Road, number: int, email: str, wanted: object) -> None:
    now = road.services.clock.now()
    payload = {"id": number, "email": email, "wishes": wanted}
    with road.services.db.write() as session:
        change = streams.of(Kind.CART).change(payload, Origin.API, now)
        records.accept(session, now, road.connector_id, [change])


def test_a_record_of_another_kind_reaches_mautic_and_the_log(wishes: Road) -> None:
    wish(wishes, 7, "ada@example.com", ["Teapot"])
    wishes.work()
    [contact] = wishes.mautic.state.contacts.values()
    assert (contact.values["email"], contact.values["firstname"]) == ("ada@example.com", "Teapot")
    assert [(entry.type, entry.status) for entry in wishes.log()] == [("abandoned_cart", "success")]
    assert timeline.name_of(wishes.deliveries()[0]) == "Wish list 7 (updated)"


def test_a_newer_snapshot_takes_the_place_of_one_that_waits(wishes: Road) -> None:
    wish(wishes, 7, "ada@example.com", ["Teapot"])
    wish(wishes, 7, "ada@example.com", ["Kettle"])
    wishes.work()
    assert len(wishes.deliveries()) == 1
    [contact] = wishes.mautic.state.contacts.values()
    assert contact.values["firstname"] == "Kettle"


def test_its_own_reason_explains_a_skip_and_its_own_fault_a_failure(wishes: Road) -> None:
    wish(wishes, 7, "ada@example.com", [])
    wish(wishes, 8, "bob@example.com", "odd")
    wishes.work()
    ends = {row.source_id: (row.state, row.error_code) for row in wishes.deliveries()}
    assert ends == {"7": ("skipped", "empty"), "8": ("dead", "bad_list")}
    assert streams.explain("empty", Kind.CART).where == "the wish list in the store"
    assert not wishes.mautic.state.contacts
