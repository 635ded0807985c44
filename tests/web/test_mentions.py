"""What sentences mention is a link to its page, and nothing else of them is markup."""

from __future__ import annotations

import pytest
from flask import Flask

from integration.web.frame.mentions import linked, page_of


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Record 4036: refused.", '<a href="/connectors/3/records/4036">Record 4036</a>: refused.'),
        ("Dead letter #7 waits.", '<a href="/connectors/3/records/7">Dead letter #7</a> waits.'),
        (
            "It does again what run 12 did.",
            'It does again what <a href="/connectors/3/runs/12">run 12</a> did.',
        ),
        (
            "Reconciliation 5 started.",
            '<a href="/connectors/3/reconciliation?number=5">Reconciliation 5</a> started.',
        ),
        (
            "order 94 of customer 5",
            '<a href="/search?q=order+94&amp;connector=3">order 94</a> of '
            '<a href="/search?q=customer+5&amp;connector=3">customer 5</a>',
        ),
        ("<b>run 1</b>", '&lt;b&gt;<a href="/connectors/3/runs/1">run 1</a>&lt;/b&gt;'),
        # Amounts, what was cut in the middle of a number, and other words.
        (
            "order 1,204; run 1.5; record 40…; records 5; prerun 7",
            "order 1,204; run 1.5; record 40…; records 5; prerun 7",
        ),
        ("", ""),
    ],
)
def test_a_mention_leads_to_what_it_names(app: Flask, said: str, written: str) -> None:
    with app.test_request_context():
        assert linked(said, 3) == written
        assert "href" not in linked(said, None)


def test_a_row_opens_what_its_text_names_last(app: Flask) -> None:
    with app.test_request_context():
        assert page_of("order 1001 (record 44)", 3) == "/connectors/3/records/44"
        assert page_of("settings", 3) == page_of("run 4", None) == ""
