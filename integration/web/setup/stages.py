"""The stages of the guided set-up, from two addresses to the first contact in Mautic, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.run import RunKind, RunState
from integration.pipeline.runs import progress as run_progress
from integration.queries import sync_log
from integration.web.connection import checklist
from integration.web.connection.checklist import Step


class StageState(StrEnum):
    """Where a stage stands: of those that are not done the first is to be done now."""

    DONE = "done"
    NOW = "now"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its key is the anchor on the page."""

    key: str
    title: str
    sentence: str
    state: StageState


#: Key -> title, and what it is about.
_ABOUT = {
    "addresses": (
        "Two addresses",
        "Where your store is, and where your Mautic is. Both are looked at before they are kept.",
    ),
    "store": ("The key of the store", "With a key customers and orders can be read. The store makes it."),
    "mautic": ("The way into Mautic", "With credentials of their own contacts can be written to Mautic."),
    "fields": (
        "Fields in Mautic",
        "What is known of a buyer, such as what was spent in all, goes to contact fields that Mautic must have.",
    ),
    "preview": (
        "A look, and the first import",
        "See the first ten as they would be sent, and what all of it would cost. Then start the import.",
    ),
    "import": ("The first contact in Mautic", "How far the import is, and where to find its first contact."),
}


def of_new() -> list[Stage]:
    """Return the stages of a connector that is still to be made."""
    return _in_order({}, {})


def of(session: Session, connector: Connector) -> list[Stage]:
    """Return the six stages of a connector in their order."""
    steps = {step.key: step for step in checklist.steps(session, connector)}
    has_contact = sync_log.first_contact(session, connector.id) is not None
    done = _done(session, connector, steps, has_contact=has_contact)
    return _in_order(done, _said(connector, steps, has_contact=has_contact))


def first_open(stages: list[Stage]) -> str:
    """Return the key of what is to be done now, of the last one when all is done."""
    return next((stage.key for stage in stages if stage.state == StageState.NOW), stages[-1].key)


def _in_order(done: Mapping[str, bool], said: Mapping[str, str]) -> list[Stage]:
    now = next((key for key in _ABOUT if not done.get(key)), "")
    return [
        Stage(key, title, said[key] if done.get(key) and key in said else about, _state(key, now, done))
        for key, (title, about) in _ABOUT.items()
    ]


def _state(key: str, now: str, done: Mapping[str, bool]) -> StageState:
    if done.get(key):
        return StageState.DONE
    return StageState.NOW if key == now else StageState.LATER


def _done(session: Session, connector: Connector, steps: Mapping[str, Step], *, has_contact: bool) -> dict[str, bool]:
    imported = steps["import"].done
    run = run_progress.latest(session, connector.id, RunKind.INITIAL)
    begun = run is not None and run.state not in (RunState.FAILED, RunState.CANCELLED)
    return {
        "addresses": bool(connector.store_url and connector.mautic_url),
        **{key: steps[key].done for key in ("store", "mautic", "fields")},
        "preview": imported or begun,
        "import": imported or has_contact,
    }


def _said(connector: Connector, steps: Mapping[str, Step], *, has_contact: bool) -> dict[str, str]:
    """Return what is said of stages that are done."""
    return {
        "addresses": f"The store is {connector.store_url}, Mautic is {connector.mautic_url}.",
        "store": "The store has answered to the key.",
        "mautic": "Mautic has let us in.",
        "fields": steps["fields"].sentence,
        "preview": steps["import"].sentence if steps["import"].done else "The import was started.",
        "import": "Mautic has its first contact from your store."
        if has_contact
        else "The import is done; the store had nobody to send. The first buyer will be the first contact.",
    }
