"""The first visit: what is still to be done until records reach Mautic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from sqlalchemy.orm import Session

from integration.mapping.fields import check, needs
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.pipeline.connectors import verified
from integration.pipeline.connectors.credentials import mautic_known, store_known
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.runs import progress as run_progress
from integration.queries import runs
from integration.settings import Modules
from integration.web.frame.services import services


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `url` is "" where it has to wait for another step."""

    key: str
    title: str
    sentence: str
    done: bool
    url: str = ""
    button: str = ""


def steps(session: Session, connector: Connector) -> list[Step]:
    """Return the five steps in their order, each with its done mark and link."""
    secrets = services().readable_secrets(connector)
    connected = store_known(connector, secrets) and mautic_known(connector, secrets)
    return [
        _store(connector, secrets),
        _mautic(connector, secrets),
        _fields(connector, connected),
        _modules(connector),
        _import(session, connector, connected),
    ]


def _store(connector: Connector, secrets: Mapping[str, str]) -> Step:
    known, done = store_known(connector, secrets), verified.store_works(connector)
    text = _state_of(f"The store is {connector.store_url}", known, done) or (
        "Give the address of your WooCommerce store and a REST key."
    )
    done = known and done
    return Step("store", "Connect the store", text, done, _url("connection.index", connector), "Connect the store")


def _mautic(connector: Connector, secrets: Mapping[str, str]) -> Step:
    known, done = mautic_known(connector, secrets), verified.mautic_works(connector)
    text = _state_of(f"Mautic is {connector.mautic_url}", known, done) or (
        "Give the address of your Mautic and how to sign in to it."
    )
    done = known and done
    return Step("mautic", "Connect Mautic", text, done, _url("connection.index", connector, "mautic"), "Connect Mautic")


def _state_of(begin: str, known: bool, works: bool) -> str:
    """Return what is to be said of a side whose credentials are known, "" for another."""
    if not known:
        return ""
    return f"{begin}." if works else f"{begin}; it has not been tested yet. Test the connection."


def _fields(connector: Connector, connected: bool) -> Step:
    states = check(needs(Modules.from_json(connector.settings)), fields_from_json(connector.fields or []))
    missing = [state for state in states if state.state == "missing"]
    done = bool(connector.fields) and not missing
    text = (
        "Mautic has every field that the modules write." if done else "Order values go to fields that Mautic must have."
    )
    return Step(
        "fields",
        "Create the fields in Mautic",
        text,
        done,
        _url("fields.index", connector) if connected else "",
        "Look at the fields",
    )


def _modules(connector: Connector) -> Step:
    modules = Modules.from_json(connector.settings)
    on = [name for name, part in (("contacts", modules.contacts), ("orders", modules.orders)) if part.enabled]
    text = f"Switched on: {', '.join(on) or 'nothing'}. Choose what is sent and with which tags."
    done, url = bool(connector.settings), _url("orders.index", connector)
    return Step("modules", "Choose the modules", text, done, url, "Choose what is sent")


def _import(session: Session, connector: Connector, connected: bool) -> Step:
    run = run_progress.latest(session, connector.id, RunKind.INITIAL)
    done = connector.initial_done_at is not None
    if run is not None and not done:
        text = f"An import was started: {runs.badge(run)[0].lower()}."
        url = _url("runs.show", connector, run_id=run.id)
        return Step("import", "Run the initial import", text, False, url, "Look at the import")
    text = (
        "Customers and orders of the past are in Mautic."
        if done
        else "Sends the customers and orders that are there already; no e-mails are sent."
    )
    url = _url("contacts.index", connector) if connected else ""
    return Step("import", "Run the initial import", text, done, url, "Go to the import")


def _url(endpoint: str, connector: Connector, anchor: str | None = None, **values: Any) -> str:
    if endpoint not in current_app.view_functions:
        return ""
    return url_for(endpoint, connector_id=connector.id, _anchor=anchor, **values)
