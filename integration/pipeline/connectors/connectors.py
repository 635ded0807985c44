"""Connectors: made, connected, configured, paused; every change comes back as a field-level diff."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from integration import certificates
from integration.errors import SettingError
from integration.mapping import own_checks, triggers
from integration.mapping.fields import needs
from integration.models.buyer_score import BuyerScore
from integration.models.connector import Connector, ConnectorState
from integration.models.schedule import Schedule
from integration.pipeline import installation
from integration.pipeline.audited import Audit, Diff, unaudited
from integration.pipeline.connectors import holds, mapping_versions, schedule_times
from integration.pipeline.connectors.field_list import MAX_AGE_INCOMPLETE
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.services import Services
from integration.settings import Modules, settings_file
from integration.settings.connection import AUTHORITIES, PLAIN, SECRETS, Connection

INCREMENTAL = "incremental"
#: Longest time that debug mode may be switched on for at once.
DEBUG_DAYS_MAX = 7
_ROWS = "mapping.rows"


def create(
    services: Services,
    *,
    organisation_id: int,
    name: str,
    is_demo: bool = False,
    audit: Audit[Connector] = unaudited,
    **connection: Any,
) -> int:
    """Make a connector with its schedule and return its id; raises SettingError for a value that cannot be used."""
    now = services.clock.now()
    connector = Connector(
        organisation_id=organisation_id,
        name="",
        is_demo=is_demo,
        webhook_path=chance.token_urlsafe(24),
        cart_key=chance.token_urlsafe(12),
        created_at=now,
        updated_at=now,
    )
    _apply(services, connector, {"name": name, **connection})
    with services.db.write() as session:
        session.add(connector)
        session.flush()
        every = services.modules(connector).sync.every
        session.add(Schedule(connector_id=connector.id, job=INCREMENTAL, every=every, next_run_at=_after(now, every)))
        audit(session, connector)
    return connector.id


def connect(services: Services, connector_id: int, *, audit: Audit[Diff] = unaudited, **connection: Any) -> Diff:
    """Change how the two systems are reached; an empty secret keeps the old one; return {field: [before, after]}.

    What is held looks again at once. A new address or other credentials make the cached token and root forgotten.
    """
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        diff = _apply(services, connector, connection)
        if diff:
            connector.updated_at = services.clock.now()
            _forget(connector, diff)
        holds.probe_now(session, services.clock.now(), connector_id)
        session.flush()
        installation.check_key(session, services.vault)
        if diff:
            audit(session, diff)
    services.wakeup.ring(connector_id)
    return diff


def _forget(connector: Connector, diff: Mapping[str, Any]) -> None:
    if any(name.startswith("mautic_") for name in diff):
        connector.mautic_token, connector.fields_at = None, None
    if any(name.startswith("store_") for name in diff):
        connector.store_rest_root = ""


def _apply(services: Services, connector: Connector, values: Mapping[str, Any]) -> Diff:
    given = {name: str(values[name]) for name in Connection.model_fields if values.get(name) is not None}
    checked = checked_over(connector, given, services.clock.now())
    diff: Diff = {}
    for name in [name for name in PLAIN if name in given]:
        before, after = getattr(connector, name) or "", checked.plain(name)
        if before != after:
            diff[name] = [in_words(name, before), in_words(name, after)]
            setattr(connector, name, after)
    return diff | _apply_secrets(services, connector, {name: checked.plain(name) for name in SECRETS if name in given})


def checked_over(connector: Connector, given: Mapping[str, str], now: datetime) -> Connection:
    """Return what is given over what is stored; raises SettingError naming each value that cannot be used.

    An authority that is stored already is taken as it is: it may be over by now, or a path (see models.Connector).
    """
    stored = {name: value for name in PLAIN if (value := getattr(connector, name))}
    whole = {**stored, **given}
    same = {name: stored[name] for name in AUTHORITIES if name in stored and whole[name] == stored[name]}
    checked = Connection.checked({name: value for name, value in whole.items() if name not in same})
    for name in AUTHORITIES:
        if sentence := certificates.outdated(certificates.stored(checked.plain(name)), now):
            raise SettingError(name, sentence, "Paste the one that is valid now.")
    return checked.model_copy(update=same)


def in_words(name: str, value: str) -> str:
    """Return a value of the connection as a log entry shows it: a certificate by its name and fingerprint."""
    return certificates.in_words(value) if name in AUTHORITIES else value


def _apply_secrets(services: Services, connector: Connector, given: Mapping[str, str]) -> Diff:
    stored = services.readable_secrets(connector)
    changed = {name: value for name, value in given.items() if value and stored.get(name) != value}
    if changed and connector.secrets and not stored:
        _forget_unreadable(connector)
    if changed:
        connector.secrets = services.vault.seal({**stored, **changed})
    return {name: ["stored" if stored.get(name) else "", "changed"] for name in changed}


def _forget_unreadable(connector: Connector) -> None:
    """Let go of what another key has sealed: the webhooks' secret went with it, so they have to be registered again."""
    connector.mautic_token, connector.webhook_ids = None, {}


def configure(
    services: Services,
    connector_id: int,
    changes: Mapping[str, Any],
    words: Mapping[str, str] | None = None,
    *,
    audit: Audit[Diff] = unaudited,
    author: str = "",
    back_to: int | None = None,
) -> Diff:
    """Set dotted module settings, all or none; return {key: [before, after]}; raises SettingError naming the key.

    `words` are what the errors call the keys (Modules.with_values). A person's own mapping is checked against Mautic's
    fields and kept as a version of `author`, one that takes up the rows of version `back_to` again.
    """
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        before = services.modules(connector)
        modules = _changed(before, connector, changes, words)
        diff = difference(before, modules)
        if diff:
            now = services.clock.now()
            if modules.mapping != before.mapping:
                mapping_versions.keep(session, now, connector_id, modules.mapping, author, back_to)
            connector.settings, connector.updated_at = modules.to_json(), now
            connector.triggers = triggers.renewed(connector.triggers, before, modules, now)
            _reschedule(session, now, connector_id, before, modules)
            if modules.naming != before.naming:
                _owe_scores(session, connector_id)
            if needs(modules) != needs(before) and connector.fields_at is not None:
                # What is needed now and is not in the list is looked for, or created, by the next batch.
                connector.fields_at -= MAX_AGE_INCOMPLETE
            audit(session, diff)
    return diff


def _owe_scores(session: Session, connector_id: int) -> None:
    """Let the next computation take every buyer for one who has moved: the fields of today are empty yet."""
    mine = update(BuyerScore).where(BuyerScore.connector_id == connector_id)
    session.execute(mine.values(recency=0, frequency=0, monetary=0))


def previewed(
    services: Services, connector: Connector, changes: Mapping[str, Any], words: Mapping[str, str] | None = None
) -> Diff:
    """Return what `configure` would change, checked in the same way, and store nothing; raises SettingError."""
    before = services.modules(connector)
    return difference(before, _changed(before, connector, changes, words))


def _changed(
    before: Modules, connector: Connector, changes: Mapping[str, Any], words: Mapping[str, str] | None
) -> Modules:
    modules = before.with_values(changes, words)
    if modules.mapping == before.mapping:
        return modules
    return own_checks.checked(before, modules, fields_from_json(connector.fields or []))


def difference(before: Modules, after: Modules) -> Diff:
    """Return {dotted key: [before, after]} of two settings; own mapping rows in words, each field's apart."""
    old, new = before.to_json(), after.to_json()
    found = {
        f"{module}.{name}": [_plain(old[module][name]), _plain(value)]
        for module, values in new.items()
        for name, value in values.items()
        if old[module][name] != value
    }
    if found.pop(_ROWS, None) is None:
        return found
    rows = own_checks.difference(before.mapping.rows, after.mapping.rows)
    # Rows of which only what is remembered of Mautic's fields changed are told as a whole.
    told = {f"mapping.{name}": list(pair) for name, pair in rows.items()}
    return found | (told or {_ROWS: ["as Mautic's fields were", "as Mautic's fields are"]})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _reschedule(session: Session, now: datetime, connector_id: int, before: Modules, after: Modules) -> None:
    if (before.sync.every, before.sync.cron) == (after.sync.every, after.sync.cron):
        return
    zone = schedule_times.zone_of(session.get_one(Connector, connector_id))
    following = schedule_times.following(now, after.sync.every, after.sync.cron, zone)
    session.execute(
        update(Schedule)
        .where(Schedule.connector_id == connector_id, Schedule.job == INCREMENTAL)
        .values(every=after.sync.every, cron=after.sync.cron, next_run_at=following)
    )


def _after(now: datetime, every: int) -> datetime:
    return now + timedelta(seconds=every)


def set_debug(services: Services, connector_id: int, until: datetime | None, *, audit: Audit[Diff] = unaudited) -> None:
    """Switch debug mode on until a moment, or off with None."""
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        before, connector.debug_until = connector.debug_until, until
        audit(session, {"debug_until": [before, until]})


def pause(services: Services, connector_id: int, *, audit: Audit[Connector] = unaudited) -> bool:
    """Let the schedule and the worker pass the connector by; webhooks are accepted and wait.

    Return whether it was not paused already.
    """
    return _set_state(services, connector_id, ConnectorState.PAUSED, audit)


def resume(services: Services, connector_id: int, *, audit: Audit[Connector] = unaudited) -> bool:
    """Look after the connector again; return whether it was paused: one that is read-only waits for an answer."""
    changed = _set_state(services, connector_id, ConnectorState.ACTIVE, audit)
    services.wakeup.ring(connector_id)
    return changed


def _set_state(services: Services, connector_id: int, state: ConnectorState, audit: Audit[Connector]) -> bool:
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        if connector.state in (state, ConnectorState.READ_ONLY):
            return False
        connector.state = state
        audit(session, connector)
    return True


def exported(services: Services, connector: Connector) -> dict[str, Any]:
    """Return a connector's settings without any secret (P89)."""
    plain = {name: getattr(connector, name) for name in PLAIN if name not in ("mautic_user", "mautic_client_id")}
    return settings_file.headed({"id": connector.id, **plain, "modules": services.modules(connector).to_json()})
