"""What is tried at once while a connector is set up: two addresses, then one side with its credentials.

The checks are those of the connection test; what fails is said at the field that it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from flask import flash

from integration.errors import SettingError
from integration.models.connector import Connector
from integration.operations.support.diagnostics import Step
from integration.pipeline.connectors import verified
from integration.pipeline.connectors.credentials import mautic_lacks, store_lacks
from integration.settings.connection import Connection
from integration.web.connection import test as connection_test
from integration.web.frame.services import services

ADDRESSES = {"store": "store_url", "mautic": "mautic_url"}
_LACKS = {"store": store_lacks, "mautic": mautic_lacks}
#: So many of a side's steps need no credentials: it answers, it is the right system, and its API is there.
_WITHOUT_CREDENTIALS = 3
#: Only a key opens an API whose index is hidden, so that without one nothing can be said.
_UNTOLD = "rest_disabled"
#: Code of a failed step -> the field that it is about.
_FIELD_OF = {
    "wrong_key": "store_key",
    "no_rights": "store_key",
    "read_only_key": "store_key",
    "write_only_key": "store_key",
    "wrong_secret": "store_secret",
    "bad_signature": "store_secret",
    "wrong_credentials": "mautic_user",
    "invalid_client": "mautic_client_id",
    "unauthorized_client": "mautic_client_id",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at two addresses: the shop's name ("" where it does not tell), and sentences that say it."""

    name: str
    sentences: Sequence[str]
    warnings: Sequence[str]


def addresses(connector: Connector, values: Mapping[str, str]) -> Seen:
    """Return what is at both addresses; raises SettingError naming those where no store, or no Mautic, answers."""
    trial = connection_test.prepare(services(), connector, values)
    found = {side: list(islice(_steps(trial, side), _WITHOUT_CREDENTIALS)) for side in ADDRESSES}
    failed = [(side, step) for side, steps in found.items() if (step := _failed(steps)) and step.code != _UNTOLD]
    _refuse([SettingError(ADDRESSES[side], step.sentence, step.hint) for side, step in failed])
    names = [str(step.facts["name"]) for step in found["store"] if step.facts.get("name")]
    known = [step for steps in found.values() for step in steps]
    told = [step.sentence for step in known if step.number > 1 and step.state == "ok"]
    return Seen(names[0] if names else "", told, _warnings(known))


def required(values: Mapping[str, str]) -> None:
    """Raise SettingError for an address that was left empty."""
    titles = {name: Connection.model_fields[name].title for name in ADDRESSES.values()}
    missing = [name for name in titles if not values.get(name)]
    _refuse(
        [SettingError(name, f"{titles[name]}: this is missing.", "Write it as in the browser.") for name in missing]
    )


def credentials(connector: Connector, values: Mapping[str, str], side: str) -> list[str] | None:
    """Return the warnings of a side ("store", "mautic") that works with typed values over the stored ones.

    None says that it cannot be tried before somebody has signed in to Mautic. Raises SettingError for what is missing
    or refused; its name is "" where no field of the credentials is at fault.
    """
    trial = connection_test.prepare(services(), connector, values)
    lacking = _LACKS[side](trial.connector, trial.secrets)
    _refuse([SettingError(name, "This is missing.", "Type or paste it.") for name in lacking])
    if side == "mautic" and _waits_for_a_person(connector, trial):
        return None
    steps = list(_steps(trial, side))
    if (step := _failed(steps)) is not None:
        raise SettingError(_FIELD_OF.get(step.code, ""), step.sentence, step.hint)
    return _warnings(steps)


def stored(connector: Connector, side: str) -> None:
    """Try a side as it is saved, keep that it works, and say what came of it."""
    try:
        warnings = credentials(connector, {}, side)
    except SettingError as error:
        flash(str(error), "bad")
    else:
        works(connector.id, side, warnings or ())


def works(connector_id: int, side: str, warnings: Sequence[str]) -> None:
    """Keep that a side works as it is saved now, and say so."""
    verified.keep(services(), connector_id, [side])
    flash(f"{_NAMES[side]} lets us in.", "ok")
    for text in warnings:
        flash(text, "warn")


_NAMES = {"store": "The store", "mautic": "Mautic"}


def _waits_for_a_person(connector: Connector, trial: connection_test.Trial) -> bool:
    """Tell whether nothing can be tried before somebody has signed in to Mautic."""
    if trial.connector.mautic_method != "authorization_code":
        return False
    return not (connector.mautic_token and "mautic" in trial.saved)


def _steps(trial: connection_test.Trial, side: str) -> connection_test.Steps:
    return connection_test.of_side(services(), trial, side)


def _failed(steps: Sequence[Step]) -> Step | None:
    return next((step for step in steps if step.state == "failed"), None)


def _warnings(steps: Sequence[Step]) -> list[str]:
    said = [f"{step.sentence} {step.hint}" for step in steps if step.state == "warning" and not _is_next(step)]
    return said + [f"{step.sentence} The key will show." for step in steps if step.code == _UNTOLD]


def _is_next(step: Step) -> bool:
    """Tell whether a step only misses the fields, which the set-up creates next."""
    return step.code == "fields_missing" and set(step.facts) == {"missing"}


def _refuse(errors: Sequence[SettingError]) -> None:
    if errors:
        first, *others = errors
        raise SettingError(first.name, first.sentence, first.hint, others=tuple(others))
