"""What batches of contacts, notes and fields share: their rows, their answer, and dying in the middle on command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import request

from integration.sandbox.faults import Fault
from integration.sandbox.mautic.answers import Crash, Refused, dump, php_array
from integration.sandbox.mautic.context import MauticContext
from integration.sandbox.mautic.request_body import rows
from integration.sandbox.server import note_rows


class Crasher:
    """Lets a batch die after so many rows, as `crash_after_rows` commands; the rows before it are kept."""

    def __init__(self, context: MauticContext) -> None:
        rule = context.faults.take(Fault.CRASH_AFTER_ROWS, request.method, request.path)
        self._left = int(rule.value) if rule else None

    def row(self) -> None:
        """Count a row that is about to be handled."""
        if self._left is None:
            return
        if self._left == 0:
            raise Crash
        self._left -= 1


@dataclass
class Result:
    """What a batch answers: rows as JSON text, status codes and errors, all by the key of the row."""

    noun: str
    written: dict[Any, str] = field(default_factory=dict)
    codes: dict[Any, int] = field(default_factory=dict)
    errors: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def refuse(self, key: Any, error: Refused) -> None:
        """Note a row that was refused."""
        self.errors[key] = error.as_row()
        self.codes[key] = error.status

    def body(self) -> str:
        """Return the JSON: lists where keys are 0, 1, 2 …, else objects; errors only if there are any.

        Recorded as mautic:137 to mautic:145.
        """
        codes = php_array({key: str(code) for key, code in self.codes.items()})
        errors = php_array({key: dump(error) for key, error in self.errors.items()}) if self.errors else ""
        tail = f',"errors":{errors}' if errors else ""
        return f'{{"{self.noun}":{php_array(self.written)},"statusCodes":{codes}{tail}}}'


def batch_rows(context: MauticContext) -> dict[Any, Any]:
    """Return the rows that were sent; 500 for more than the limit (mautic:144, mautic:167)."""
    sent = rows()
    note_rows(len(sent))
    if len(sent) > context.batch_limit:
        raise Refused(500, f"A max of {context.batch_limit} entities are supported at a time.")
    return sent
