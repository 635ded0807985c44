"""Tests in a browser wait for what they say of a page: a slow machine still has the old one, or half of the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
#: What Playwright reads at once. `expect(…)` says the same with waiting: to_have_text, to_have_count, to_be_visible.
AT_ONCE = {
    *("all_inner_texts", "all_text_contents", "count", "evaluate_all", "is_checked", "is_disabled", "is_editable"),
    *("is_enabled", "is_hidden", "is_visible", "query_selector_all"),
}
#: What waits for an element or not at all, but never for the value that is asserted.
OF_ANY_PAGE = {"get_attribute", "inner_html", "inner_text", "input_value", "query_selector", "text_content"}


def test_what_tests_in_a_browser_say_of_a_page_is_waited_for() -> None:
    driving = [path for path in TESTS.rglob("*.py") if "from playwright" in path.read_text(encoding="utf-8")]
    found = [f"{path.relative_to(TESTS)}:{line}" for path in driving for line in hasty(path.read_text("utf-8"))]
    assert driving
    assert found == [], "say it with Playwright's expect(…), which waits"


def test_a_hasty_read_is_noticed() -> None:
    hasty_ones = 'heads = table.all_inner_texts()\nassert "x" in page.url\nassert box.input_value() == "x"\n'
    assert set(hasty(hasty_ones)) == {1, 2, 3}
    assert list(hasty('assert "aa".count("a") == 2\nshown = line.inner_text()\nif page.query_selector("p"): 1\n')) == []


def hasty(source: str) -> Iterator[int]:
    """Lines that read a page at once, or assert what they read of whatever page there is."""
    for node in ast.walk(ast.parse(source)):
        is_asserted = isinstance(node, ast.Assert) and any(_of_any_page(part) for part in ast.walk(node.test))
        if isinstance(node, ast.stmt | ast.expr) and (_called(node) in AT_ONCE or is_asserted):
            yield node.lineno


def _called(node: ast.AST) -> str:
    """Return the method that is called; "" for the count of a text or a list, which has an argument."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return ""
    return "" if node.func.attr == "count" and node.args else node.func.attr


def _of_any_page(node: ast.AST) -> bool:
    is_address = isinstance(node, ast.Attribute) and node.attr == "url" and getattr(node.value, "id", "") == "page"
    return is_address or _called(node) in OF_ANY_PAGE
