"""Compiled routes that all applications of a test process share: compiling them was half of a page's test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]
_compile = Rule._compile_builder
_compiled: dict[Any, Builder] = {}


def _shared(rule: Rule, append_unknown: bool = True) -> Builder:
    """Return what builds a rule's address: it depends on the rule's text and defaults, and not on the application."""
    key = rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


def share() -> None:
    """Let every application that is made from now on take its routes from here."""
    Rule._compile_builder = _shared  # type: ignore[method-assign]
