"""Compiled templates that all applications of a test process share: compiling them was a third of a page test."""

from __future__ import annotations

from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache


class SharedTemplates(BytecodeCache):
    """Keeps the code of templates in memory; a template that has changed has another key."""

    def __init__(self) -> None:
        self.compiled: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a template that some application has compiled."""
        bucket.code = self.compiled.get(f"{bucket.key} {bucket.checksum}")

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self.compiled[f"{bucket.key} {bucket.checksum}"] = bucket.code


SHARED = SharedTemplates()
