"""Compiled templates that all applications of a test process share: compiling them was a third of a page test."""

from __future__ import annotations

from jinja2.bccache import Bucket, BytecodeCache


class SharedTemplates(BytecodeCache):
    """Keeps the bytecode of templates in memory; a template that has changed has another key."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bytecode of a template that some application has compiled."""
        if known := self.compiled.get(f"{bucket.key} {bucket.checksum}"):
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the bytecode of a template."""
        self.compiled[f"{bucket.key} {bucket.checksum}"] = bucket.bytecode_to_string()


SHARED = SharedTemplates()
