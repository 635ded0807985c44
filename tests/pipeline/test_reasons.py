"""Every way to skip a record has a reason and a place where it is changed (D5)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import integration
from integration.events import Kind
from integration.mapping import contacts, orders
from integration.pipeline.delivery import planning
from integration.streams import explain, skip_codes

SOURCE = Path(integration.__file__).parent
#: Pages that exist, and the two other systems.
PAGES = {"orders", "contacts", "carts", "consents", "subscriptions", "privacy", "runs", "store", "mautic"}


def codes_in(tree: ast.AST) -> Iterator[str]:
    """The codes that a module skips with: Skip("code", …) and self._skipped(leased, "code", …)."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        place = {"Skip": 0, "_skipped": 1}.get(name)
        if place is not None and len(node.args) > place:
            code = node.args[place]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


def all_codes() -> set[str]:
    files = [
        *(SOURCE / "mapping").glob("*.py"),
        *(SOURCE / "streams").glob("*.py"),
        *(SOURCE / "pipeline").rglob("*.py"),
    ]
    return {code for file in files for code in codes_in(ast.parse(file.read_text()))}


def test_every_code_that_the_program_skips_with_is_explained() -> None:
    found = all_codes()
    known = {planning.GONE, planning.CONTACT_GONE, orders.DRAFT, orders.MOVED, contacts.NOT_ON_CHANGE}
    assert {skip.code for skip in known} <= found
    assert found == skip_codes()


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CONTACT])
@pytest.mark.parametrize("code", sorted(skip_codes()))
def test_a_reason_is_a_sentence_with_a_place(code: str, kind: Kind) -> None:
    found = explain(code, kind)
    assert found.sentence.endswith(".")
    assert found.where
    assert not found.where.endswith(".")
    assert found.page in PAGES


def test_the_same_code_names_the_page_of_its_kind() -> None:
    assert (explain("module_off", Kind.ORDER).page, explain("module_off", Kind.CONTACT).page) == ("orders", "contacts")
    assert "customer" in explain("no_email", Kind.CONTACT).sentence


def test_an_unknown_code_leads_to_the_record() -> None:
    assert explain("from_a_later_version").page == "records"
