"""Compiled routes that all applications of a test process share: compiling them was half of a page's test."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule

_compile = Rule.compile
#: What a route depends on -> what compiling gave it, and the names of its variables.
_compiled: dict[Any, tuple[dict[str, Any], set[str]]] = {}


def _key(rule: Rule) -> Any:
    """Return what a compiled route depends on: its text and what its application understands, not which one that is."""
    assert rule.map is not None, "a route is compiled for an application"
    texts = rule.rule, rule.host if rule.map.host_matching else rule.subdomain, rule.merge_slashes
    return *texts, repr(rule.defaults), frozenset(rule.map.converters.items())


def _shared(rule: Rule) -> None:
    """Give a route what compiling another one of the same text gave."""
    key = _key(rule)
    if key not in _compiled:
        _compile(rule)
        made = {name: vars(rule)[name] for name in ("_parts", "_trace", "_converters")}
        made |= {name: vars(rule)[name].__func__ for name in ("_build", "_build_unknown")}
        _compiled[key] = made, set(rule._converters)
    made, names = _compiled[key]
    vars(rule).update(made)
    rule._build, rule._build_unknown = (made[name].__get__(rule) for name in ("_build", "_build_unknown"))
    rule.arguments |= names


def share() -> None:
    """Let every application that is made from now on take its routes from here."""
    Rule.compile = _shared  # type: ignore[method-assign]
