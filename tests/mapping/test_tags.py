from __future__ import annotations

import pytest

from integration.mapping import slugs, tags
from integration.records import LineItem


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("TS.01 A", "ts-01-a"),
        ("Größe & Co. / 10×20", "grose-co-10x20"),
        ("  Élan   vital™ ", "elan-vital"),
        ("Tom &amp; Jerry's", "tom-jerrys"),
        ("<b>Bold</b> move", "bold-move"),
        ("under_score--dash", "under_score-dash"),
        ("-leading and trailing-", "leading-and-trailing"),
        ("Футболка XL", "futbolka-xl"),
        ("en–dash a\u00a0b", "en-dash-a-b"),
        ("100%, really!", "100-really"),
        ("🦄", ""),
        ("", ""),
    ],
)
def test_p33_slugs_are_those_of_wordpress_with_other_scripts_readable(text, slug):
    assert slugs.slug(text) == slug


@pytest.mark.parametrize(
    ("item", "with_id", "tag"),
    [
        (LineItem("Mug", 7, sku="MUG-1"), False, "mug-1_on-hold"),
        (LineItem("Mug", 7, sku="MUG-1"), True, "mug-1_on-hold"),
        (LineItem("Blue Mug", 7), False, "blue-mug_on-hold"),
        (LineItem("Blue Mug", 7), True, "7_blue-mug_on-hold"),
        (LineItem("Blue Mug", 0), True, "blue-mug_on-hold"),
        (LineItem("🦄", 7), False, "7_on-hold"),
        (LineItem("🦄", 0), False, ""),
        (LineItem("-1 discount"), False, "1-discount_on-hold"),
    ],
)
def test_p33_p34_product_tags(item, with_id, tag):
    assert tags.product_tag(item, "on-hold", with_id) == tag


def test_129_a_product_tag_is_at_most_191_characters_and_keeps_its_status():
    tag = tags.product_tag(LineItem("x" * 300), "completed")
    assert len(tag) == 191 and tag.endswith("x_completed")


def test_129_a_long_tag_is_cut_and_said():
    fitted, adjustments = tags.fit_tags(["y" * 300, "short", "-" + "z" * 300])
    assert fitted == ("y" * 191, "short", "-" + "z" * 191)
    assert [(a.field, a.kind) for a in adjustments] == [("tags", "shortened")] * 2


def test_126_a_comma_in_a_tag_cannot_make_two():
    assert tags.fit_tags(["a,b", "<i>c</i>"])[0] == ("a b", "i c /i")


def test_127_the_letter_case_of_a_typed_tag_stays():
    assert tags.typed_tags(["VIP", "vip"]) == ("VIP", "vip")


def test_a_tag_of_dashes_is_no_tag():
    assert tags.fit_tags(["-", "--", " ", "ok", "-gone"])[0] == ("ok", "-gone")


@pytest.mark.parametrize(
    ("slugs", "wanted"),
    [
        (("vino-rosso", "te-caffe", "vino-rosso"), ("vino-rosso", "te-caffe")),
        (("%e6%97%a5%e6%9c%ac%e8%8c%b6",), ("ri-ben-cha",)),
        (("", "-", "%"), ()),
        (("a" * 300,), ("a" * tags.TAG_MAX_CHARS,)),
    ],
)
def test_categories_are_tagged_with_their_slugs(slugs: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    assert tags.category_tags(slugs) == wanted
