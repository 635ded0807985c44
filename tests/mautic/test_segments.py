from __future__ import annotations

import pytest

from integration.errors import AuthRejected, Rejected
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.mautic.segments import Segment, Segments
from integration.sandbox.mautic import MauticServer
from tests.mautic.script import Script, canned


@pytest.fixture
def buyers(client: MauticClient) -> int:
    return int(client.post("segments/new", {"name": "Buyers", "isPublished": 1})["list"]["id"])


@pytest.fixture
def people(client: MauticClient) -> list[int]:
    rows = [{"email": f"p{number}@example.com"} for number in range(3)]
    return [each["id"] for each in client.post("contacts/batch/new", rows)["contacts"]]


def test_the_recorded_list_is_read(basic: MauticClient, script: Script) -> None:
    script.then("229")
    assert Segments(basic).list() == (
        Segment(1, "Buyers", "buyers"),
        Segment(2, "Buyers", "buyers1"),
        Segment(4, "Hidden", "hidden", published=False),
        Segment(3, "Londoners", "londoners"),
    )


@pytest.mark.parametrize("nothing", [{"total": 0, "lists": []}, {"total": "0", "lists": {}}, {}])
def test_no_segments(nothing: object, basic: MauticClient, script: Script) -> None:
    script.then(canned(nothing))
    assert Segments(basic).list() == ()


def test_known_contacts_are_added_and_unknown_ones_are_told(
    client: MauticClient, mautic: MauticServer, buyers: int, people: list[int]
) -> None:
    results = Segments(client).add(buyers, [*people, 99999, people[0]])
    assert results == {people[0]: True, people[1]: True, people[2]: True, 99999: False}
    assert [contact.id for contact in mautic.state.members(buyers)] == people


def test_adding_twice_is_fine(client: MauticClient, buyers: int, people: list[int]) -> None:
    segments = Segments(client)
    assert segments.add(buyers, people) == segments.add(buyers, people)
    assert segments.add(buyers, []) == {}


def test_ids_go_two_hundred_at_a_time(basic: MauticClient, script: Script) -> None:
    good = {str(number): {"success": True} for number in range(1, 451)}
    script.then(*[canned({"success": 1, "details": good})] * 3)
    assert all(Segments(basic).add(1, range(1, 451)).values())
    assert [len(seen.json["ids"]) for seen in script.seen] == [200, 200, 50]


def test_the_recorded_details_are_read_by_id(basic: MauticClient, script: Script) -> None:
    script.then("237", "239")
    segments = Segments(basic)
    assert segments.add(1, [257, 260, 261, 99999]) == {257: True, 260: True, 261: True, 99999: False}
    assert segments.add(1, [257]) == {257: False}


def test_a_segment_that_is_gone_or_unpublished_is_the_settings_fault(
    client: MauticClient, buyers: int, people: list[int]
) -> None:
    with pytest.raises(Rejected) as gone:
        Segments(client).add(99999, people)
    assert gone.value.code == "segment_gone"
    client.patch(f"segments/{buyers}/edit", {"isPublished": 0})
    with pytest.raises(Rejected) as hidden:
        Segments(client).add(buyers, people)
    assert hidden.value.code == "segment_unpublished" and "Buyers" in hidden.value.sentence


def test_a_missing_right_stays_a_missing_right(basic: MauticClient, script: Script) -> None:
    script.then("236", "230")
    with pytest.raises(AuthRejected) as told:
        Segments(basic).add(1, [2])
    assert told.value.code == "no_right"


def test_a_viewer_may_not_list(mautic: MauticServer) -> None:
    access = MauticAccess(mautic.url, "basic", mautic.credentials.viewer, mautic.credentials.viewer_password)
    with pytest.raises(AuthRejected, match="segments"):
        Segments(MauticClient(access)).list()
