"""Files that settings come from: ours, Wootic's options in three forms, and everything that is neither."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from integration.errors import SettingError
from integration.settings import Modules, php_values, settings_file, wp_options
from integration.settings.wootic import PREFIX

OPTIONS = {
    "server": "https://mautic.example",
    "mautic_username": "ada",
    "mautic_password": "it's \\ a;secret",
    "mautic_sku_filter": "A-1, B-2",
    "mautic_send_partial_statuses": "yes",
    "mautic_add_phone": "no",
    "mautic_add_billing": "1",
    "mautic_add_note": "on",
    "mautic_add_tags": "",
    "mautic_add_id_to_tags": "yes",
    "mautic_add_general_tags": 'a:2:{i:0;s:4:"shop";i:1;s:5:"caf\u00e9";}',
    "mautic_enable_forms": "yes",
}
ROWS = [{"option_name": PREFIX + name, "option_value": value} for name, value in OPTIONS.items()]
EXPECTED = {
    "orders.sku_filter": ["A-1", "B-2"],
    "orders.statuses": ["pending", "processing", "on-hold", "completed", "refunded", "cancelled", "failed"],
    "contacts.phone": False,
    "contacts.billing": True,
    "orders.notes": True,
    "orders.product_tags": False,
    "orders.product_id_tags": True,
    "orders.general_tags": ["shop", "café"],
}


def as_csv() -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["option_name", "option_value"])
    writer.writeheader()
    writer.writerows(ROWS)
    return text.getvalue()


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def as_sql(columns: str = "", table: str = "`wp_options`") -> str:
    rows = [
        f"({at}, {quoted(row['option_name'])}, {quoted(row['option_value'])}, 'yes')" for at, row in enumerate(ROWS)
    ]
    return f"-- a dump\nLOCK TABLES;\nINSERT INTO {table} {columns}VALUES\n" + ",\n".join(rows) + ";\nUNLOCK TABLES;"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        as_csv(),
        as_sql(),
        as_sql("(`option_id`, `option_name`, `option_value`, `autoload`) ", "shop_7_options"),
        json.dumps({row["option_name"]: row["option_value"] for row in ROWS}),
    ],
)
def test_wootics_options_are_read_in_every_form_people_have(text: str) -> None:
    taken = settings_file.read(b"\xef\xbb\xbf" + text.encode())
    assert dict(taken.changes) == EXPECTED
    assert taken.connection == {
        "mautic_url": "https://mautic.example",
        "mautic_user": "ada",
        "mautic_password": "it's \\ a;secret",
    }
    assert taken.unused == (PREFIX + "mautic_enable_forms",)
    assert "a;secret" not in repr(taken)
    Modules().with_values(taken.changes)


def test_a_download_is_read_as_it_was_written_with_or_without_a_head() -> None:
    modules = Modules().with_values({"orders.notes": "yes", "orders.emails": "completed:3", "sync.cron": "5 4 * * *"})
    for value in (settings_file.headed({"id": 1, "modules": modules.to_json()}), [{"modules": modules.to_json()}]):
        taken = settings_file.read(json.dumps(value).encode())
        assert Modules().with_values(taken.changes) == modules
        assert not taken.connection


MODULES: dict[str, Any] = {"orders": {"notes": True}}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "There is nothing in it."),
        (b" \n", "There is nothing in it."),
        (b"\xff\xfe\x00", "The file is no text"),
        (b"PK something", "neither JSON, nor CSV, nor SQL"),
        (b'{"modules": ', "not whole JSON"),
        (b"[" * 100_000, "not whole JSON"),
        (b"[1, 2]", "This JSON is no file of settings."),
        (b"{}", "no option of Wootic"),
        (json.dumps([{"modules": MODULES}, {"modules": MODULES}]).encode(), "the settings of 2 connectors"),
        (json.dumps({"kind": "a cart", "modules": MODULES}).encode(), "another kind of file: “a cart”"),
        (json.dumps({"version": 2, "modules": MODULES}).encode(), "is of version 2; this woo-mautic reads version 1"),
        (json.dumps({"version": True, "modules": MODULES}).encode(), "is of version True"),
        (json.dumps({"modules": {}}).encode(), "no settings of modules"),
        (json.dumps({"modules": {"orders": 7}}).encode(), "There is no setting “orders”"),
        (b"x" * (settings_file.FILE_MAX_BYTES + 1), "larger than 2 MB"),
        (b'[{"option_name": "siteurl", "option_value": "x"}]', "no option of Wootic"),
        (b"INSERT INTO wp_options VALUES (1, 'siteurl', 'x', 'yes');", "no option of Wootic"),
        (b"INSERT INTO wp_posts VALUES (1, 'x');", "neither JSON"),
    ],
)
def test_what_is_no_file_of_settings_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(SettingError) as error:
        settings_file.read(content)
    assert sentence in str(error.value)
    assert error.value.hint


def test_a_file_from_before_there_was_a_choice_of_roles_means_what_it_meant() -> None:
    taken = settings_file.read(json.dumps({"modules": {"contacts": {"roles": []}}}).encode())
    assert Modules().with_values(taken.changes).contacts.takes("shop_owner")


def test_every_unknown_setting_is_named() -> None:
    with pytest.raises(SettingError) as error:
        settings_file.read(json.dumps({"modules": {"orders": {"nots": True}, "cats": {"x": 1}}}).encode())
    names = [each.name for each in (error.value, *error.value.others)]
    assert names == ["cats.x", "orders.nots"]


@pytest.mark.parametrize(
    ("name", "value"), [("mautic_add_phone", "maybe"), ("mautic_password", 's:9:"hidden";'), ("server", ["x"])]
)
def test_an_option_that_cannot_be_read_is_named_without_its_value(name: str, value: Any) -> None:
    with pytest.raises(SettingError, match=PREFIX + name) as error:
        settings_file.read(json.dumps({PREFIX + name: value}).encode())
    assert "hidden" not in str(error.value)
    assert "maybe" not in str(error.value)


def serialised(value: Any) -> str:
    if value is None:
        return "N;"
    if isinstance(value, bool):
        return f"b:{int(value)};"
    if isinstance(value, int):
        return f"i:{value};"
    if isinstance(value, str):
        return f's:{len(value.encode())}:"{value}";'
    return f"a:{len(value)}:{{{''.join(serialised(k) + serialised(v) for k, v in value.items())}}}"


_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
_SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | _TEXTS
_VALUES = st.recursive(_SCALARS, lambda inner: st.dictionaries(st.integers(0, 99) | _TEXTS, inner, max_size=4))


@settings(max_examples=60, deadline=None)
@given(_VALUES)
def test_what_php_serialises_is_read_and_what_is_cut_off_is_not(value: Any) -> None:
    text = serialised(value)
    assert php_values.read(text) == value
    assert php_values.is_serialised(text)
    with pytest.raises(ValueError):
        php_values.read(text[:-1])


@settings(max_examples=100, deadline=None)
@given(st.text('abdisNO:;{}"0123456789-', max_size=40))
def test_any_other_text_is_refused_or_read_but_never_breaks(text: str) -> None:
    try:
        php_values.read(text)
    except ValueError:
        return
    assert php_values.is_serialised(text)


@pytest.mark.parametrize(
    "text", ['O:8:"stdClass":0:{}', 'a:1:{i:0;O:1:"A":0:{}}', "a:1:{i:0;" * 50, "r:1;", "i:1;i:2;"]
)
def test_objects_references_and_deep_nesting_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        php_values.read(text)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_TEXTS, _TEXTS, min_size=1, max_size=4))
def test_rows_of_a_dump_are_read_as_they_were_written(options: dict[str, str]) -> None:
    rows = [f"(1,{quoted(name)},{quoted(value)},'no')" for name, value in options.items()]
    assert wp_options.of_sql(f"INSERT INTO `wp_options` VALUES {','.join(rows)};") == options
