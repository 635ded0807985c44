from __future__ import annotations

from typing import Any

import pytest

from integration.errors import AuthRejected, Rejected, ServerFault
from integration.http.transport import Route
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.mautic.fields import Fields, choices_of, definition
from integration.plans import FieldNeed, MauticField
from integration.sandbox.mautic import MauticServer
from tests.mautic.script import DROP, Script, canned

EMPTY = canned({"total": 0, "fields": []})
NEED = FieldNeed("woo_total", "Woo: total", "number")


def listed(*aliases: str, **more: Any) -> Any:
    rows = [{"id": number, "alias": alias, "type": "text", **more} for number, alias in enumerate(aliases, 1)]
    return canned({"total": len(rows), "fields": rows})


def test_the_recorded_list_is_read(basic: MauticClient, script: Script) -> None:
    script.then("270")
    known = Fields(basic).read()
    assert list(known) == ["facebook", "foursquare", "instagram"]
    assert known["facebook"] == MauticField("facebook", "text", "Facebook", None)


def test_all_fields_of_the_stand_in_are_read(client: MauticClient) -> None:
    known = Fields(client).read()
    assert (known["email"].limit, known["firstname"].limit, known["points"].limit) == (None, None, None)
    assert known["country"].type == "country" and known["country"].limit is None
    assert "companyname" not in known


def test_a_list_longer_than_a_page_is_read_to_its_end(basic: MauticClient, script: Script) -> None:
    first = {"total": 501, "fields": {str(n): {"id": n, "alias": f"f{n}", "type": "text"} for n in range(1, 501)}}
    script.then(canned(first), canned({"total": 501, "fields": {"501": {"id": 501, "alias": "f501"}}}))
    assert len(Fields(basic).read()) == 501
    assert "start=500" in script.seen[1].path


@pytest.mark.parametrize(
    ("entity", "limit"),
    [
        ({"type": "text"}, None),
        ({"type": "text", "charLengthLimit": 191}, 191),
        ({"type": "text", "charLengthLimit": "20"}, 20),
        ({"type": "text", "charLengthLimit": None}, None),
        ({"type": "url"}, None),
        ({"type": "tel"}, None),
        ({"type": "textarea"}, None),
        ({"type": "html"}, None),
        ({"type": "number"}, None),
        ({"type": "datetime"}, None),
    ],
)
def test_the_length_of_a_field(entity: dict[str, Any], limit: int | None, basic: MauticClient, script: Script) -> None:
    script.then(canned({"total": 1, "fields": [{"id": 1, "alias": "x", **entity}]}))
    assert Fields(basic).read()["x"].limit == limit


def test_a_length_that_the_caller_knows_is_kept(basic: MauticClient, script: Script) -> None:
    script.then(listed("woo_tags"))
    assert Fields(basic, {"woo_tags": 191}).read()["woo_tags"].limit == 191


@pytest.mark.parametrize(
    ("properties", "choices"),
    [
        ({"list": [{"label": "One", "value": "1"}, {"label": "Two", "value": "2"}]}, ("1", "2")),
        ({"list": {"0": {"label": "One", "value": "1"}}}, ("1",)),
        ({"list": ["a", "b", ""]}, ("a", "b")),
        ({"list": "a|b"}, ("a", "b")),
        ({}, ()),
        ([], ()),
        (None, ()),
    ],
)
def test_choices_are_values(properties: object, choices: tuple[str, ...]) -> None:
    assert choices_of(properties) == choices


def test_a_field_is_made_and_then_known(client: MauticClient, mautic: MauticServer) -> None:
    fields = Fields(client)
    made = fields.create(FieldNeed("woo_tags", "Woo: tags", "text", 191))
    assert made == MauticField("woo_tags", "text", "Woo: tags", 191)
    mautic.calls.reset()
    assert fields.create(FieldNeed("woo_tags", "Woo: tags", "text", 191)) == made
    assert len(mautic.calls) == 0
    assert mautic.state.by_alias["woo_tags"]["charLengthLimit"] == 191


def test_a_field_that_is_there_is_not_made_again(client: MauticClient, mautic: MauticServer) -> None:
    assert Fields(client).create(FieldNeed("firstname", "First name", "text")).alias == "firstname"
    assert mautic.calls.count("/api/fields/contact/new") == 0


def test_the_alias_is_read_from_the_answer(client: MauticClient) -> None:
    """Reserved ones get a number, long ones are cut (258, 260)."""
    fields = Fields(client)
    made = fields.create_all([FieldNeed("date_added", "Date", "text"), FieldNeed("x" * 60, "Long", "textarea")])
    assert [field.alias for field in made] == ["date_added1", "x" * 25]
    assert made[1].limit is None


def test_each_kind_is_taken_by_mautic(client: MauticClient) -> None:
    kinds = ("text", "textarea", "number", "datetime", "date", "boolean", "url")
    made = Fields(client).create_all([FieldNeed(f"woo_{kind}", kind, kind) for kind in kinds])
    assert [field.type for field in made] == list(kinds)


def test_definitions() -> None:
    assert definition(NEED)["properties"] == {"roundmode": 4, "scale": 2}
    assert definition(FieldNeed("b", "B", "boolean"))["properties"] == {"yes": "Yes", "no": "No"}
    assert definition(FieldNeed("s", "S", "select", choices=("a",)))["properties"] == {
        "list": [{"label": "a", "value": "a"}]
    }
    assert definition(FieldNeed("t", "T", "text", 1000))["charLengthLimit"] == 191
    assert "charLengthLimit" not in definition(FieldNeed("t", "T", "textarea", 1000))


def test_a_field_made_in_the_background_is_not_published_yet(basic: MauticClient, script: Script) -> None:
    field = {"id": 1, "alias": "woo_total", "type": "number", "label": "x", "isPublished": True}
    script.then(EMPTY, canned({"field": field}, 202))
    assert Fields(basic).create(NEED).published is False


def test_an_alias_that_another_has_just_taken_is_found(basic: MauticClient, script: Script) -> None:
    script.then(EMPTY, "257", listed("woo_total"))
    assert Fields(basic).create(NEED).alias == "woo_total"


def test_a_race_that_crashes_is_found_too(basic: MauticClient, script: Script) -> None:
    script.then(EMPTY, "360", listed("woo_total"), EMPTY, "360", EMPTY)
    assert Fields(basic).create(NEED).alias == "woo_total"
    with pytest.raises(ServerFault):
        Fields(basic).create(NEED)


def test_a_lost_answer_makes_no_second_field(client: MauticClient, mautic: MauticServer) -> None:
    mautic.faults.lose_answer(path="/api/fields/contact/new", times=1)
    made = Fields(client).create(FieldNeed("woo_tags", "Woo: tags", "text", 120))
    assert (made.alias, made.limit) == ("woo_tags", 120)
    assert [row["alias"] for row in mautic.state.lead_fields].count("woo_tags") == 1


def test_a_dropped_connection_before_the_work_is_an_error(basic: MauticClient, script: Script) -> None:
    script.then(EMPTY, DROP, EMPTY)
    with pytest.raises(Exception, match="closed the connection"):
        Fields(basic).create(NEED)


def test_a_refused_field_says_to_make_it_by_hand(client: MauticClient) -> None:
    with pytest.raises(Rejected) as told:
        Fields(client).create(FieldNeed("woo_x", "X", "nosuch"))
    assert told.value.code == "field_refused" and "woo_x" in told.value.sentence and "by hand" in told.value.hint


def test_a_full_table_says_how_to_make_room(basic: MauticClient, script: Script) -> None:
    full = {"errors": [{"code": 400, "message": "1118 Row size too large.", "details": []}]}
    script.then(EMPTY, canned(full, 400), EMPTY)
    with pytest.raises(Rejected) as told:
        Fields(basic).create(NEED)
    assert told.value.code == "too_many_fields"
    assert "no room" in told.value.sentence and "textarea" in told.value.hint


def test_a_missing_right_is_named(mautic: MauticServer) -> None:
    access = MauticAccess(mautic.url, "basic", mautic.credentials.viewer, mautic.credentials.viewer_password)
    with pytest.raises(AuthRejected, match="custom fields"):
        Fields(MauticClient(access, route=Route())).read()
