"""Goes through the parts of a run; what the store refuses of one kind of record keeps no other from being read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from integration.errors import ServiceError
from integration.pipeline.runs import refusals
from integration.pipeline.runs.page_intake import PageIntake
from integration.pipeline.runs.refusals import REFUSED

Part = tuple[str, Callable[[], None]]
_REST_READ = "rest_read"
#: Parts that read another list of the store than that of orders.
_LISTS = {
    "customers": "customers",
    "moved": "customers",
    "recurring": "subscriptions",
    "recurring_changes": "subscriptions",
}


@dataclass
class PartialIntake(PageIntake):
    """Reads the parts that are left, whatever becomes of single ones."""

    def _go_through(self, parts: Sequence[Part], begin: int) -> None:
        """Read the parts from `begin` on, and those that were refused before; raises the first refusal that is left.

        `partly` says then that nothing but what was refused is left to be read.
        """
        errors: dict[str, ServiceError] = {}
        read = bool(self.run.cursor.get(_REST_READ))
        for name, part in self._left(parts, begin):
            if self.stop.is_set():
                return
            error = _of_same_list(name, errors) or self._read_part(name, part)
            if error is None:
                read = True
            else:
                errors[name] = error
                self._note({**(self.run.cursor.get(REFUSED) or {}), name: str(error)})
        if not errors:
            return self._note({})
        if not read:
            self._note({})
            self._enter(next(iter(errors)))
        else:
            self.partly = True
            self._note({name: str(error) for name, error in errors.items()}, rest_read=True)
        raise next(iter(errors.values()))

    def _left(self, parts: Sequence[Part], begin: int) -> Sequence[Part]:
        refused = [part for part in parts if part[0] in (self.run.cursor.get(REFUSED) or {})]
        if self.run.cursor.get(_REST_READ):
            return refused
        return [*(part for part in refused if part not in parts[begin:]), *parts[begin:]]

    def _read_part(self, name: str, part: Callable[[], None]) -> ServiceError | None:
        self._enter(name)
        try:
            part()
        except refusals.ERRORS as error:
            if self._was_begun(name) or refusals.concerns_all(error):
                raise
            refusals.go_on_after(self.services, self.connector.id, error)
            return error
        return None

    def _was_begun(self, name: str) -> bool:
        """Tell whether some of a part was read: then it is not its list that the store refuses."""
        return self.run.cursor.get(name) is not None

    def _note(self, refused: dict[str, str], *, rest_read: bool = False) -> None:
        noted = {REFUSED: refused, _REST_READ: rest_read}
        if not refused and REFUSED not in self.run.cursor:
            return
        with self.services.db.write() as session:
            run = self._held(session)
            run.cursor = {**run.cursor, **noted}
        self.run.cursor = run.cursor


def _of_same_list(name: str, errors: Mapping[str, ServiceError]) -> ServiceError | None:
    """Return why a list is refused that an earlier part could not read either: asking again costs calls for nothing."""
    wanted = _LISTS.get(name)
    return next((error for other, error in errors.items() if _LISTS.get(other) == wanted), None)
