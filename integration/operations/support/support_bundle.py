"""The support bundle (E5): what somebody else needs to find a fault, as JSON without secrets and without persons."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib import metadata
from typing import Any

from sqlalchemy import func, literal_column, select, text
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.http.transport import USER_AGENT
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.organisation import Organisation
from integration.models.run import Run
from integration.models.schedule import Heartbeat, Schedule
from integration.operations.retention import sizes
from integration.operations.support.anonymous import Cleaner
from integration.operations.support.application_log import read_log
from integration.operations.support.line_files import LogLineQuery
from integration.pipeline.connectors import holds
from integration.pipeline.services import Services

#: Rows of each list that are told, newest first.
FAILURES = 50
RUNS = 20
LOG_LINES = 200
LIBRARIES = (
    "alembic",
    "apscheduler",
    "cryptography",
    "flask",
    "flask-limiter",
    "flask-login",
    "flask-sqlalchemy",
    "flask-wtf",
    "gunicorn",
    "jinja2",
    "oauthlib",
    "procrastinate",
    "prometheus-client",
    "psycopg",
    "requests",
    "requests-oauthlib",
    "sqlalchemy",
    "urllib3",
    "werkzeug",
)
_DEPLOYMENT = ("engine", "public_url", "timezone", "proxies", "private_hosts", "log_level", "threads", "ratelimit")
_CONNECTOR = (
    "id",
    "name",
    "state",
    "is_demo",
    "store_url",
    "store_rest_root",
    "mautic_url",
    "mautic_method",
    "cursors",
    "webhook_ids",
    "last_webhook_at",
    "initial_done_at",
    "debug_until",
    "created_at",
    "updated_at",
)
_FAILURE = (
    "id",
    "kind",
    "source_id",
    "person_key",
    "event",
    "origin",
    "run_id",
    "error_code",
    "category",
    "attempts",
    "created_at",
    "died_at",
)
_RUN = (
    "id",
    "kind",
    "state",
    "trigger",
    "options",
    "phase",
    "correlation_id",
    "expected",
    "pulled",
    "accepted",
    "pushed",
    "skipped",
    "failed",
    "calls",
    "store_calls",
    "created_at",
    "started_at",
    "ended_at",
    "error_code",
    "error",
)
_HOLD = ("service", "code", "sentence", "hint", "since", "probe_at", "probes")
_SCHEDULE = ("job", "every", "cron", "next_run_at", "last_run_at")
_STATES = ("waiting", "ready", "leased", "dead")


def build(services: Services, connector: Connector, *, whole: bool = False) -> dict[str, Any]:
    """Return the bundle of a connector, JSON-ready: no secret, no e-mail address, no text that quotes a record.

    `whole` adds what belongs to the installation (its whole log, its sizes); where there is one organisation only that
    is always in it.
    """
    cleaner = _cleaner(services, connector)
    with services.db.read() as session:
        whole = whole or (session.scalar(select(func.count()).select_from(Organisation)) or 0) <= 1
        parts = {
            "made_at": services.clock.now(),
            "application": _application(),
            "database": _database(session),
            "deployment": {name: getattr(services.deployment, name) for name in _DEPLOYMENT},
            **_about(services, connector),
            **_rows(session, connector, cleaner),
            "sizes": _sizes(services, session, connector, whole),
        }
    return dict(cleaner.value({**parts, "log": _log(services, connector, cleaner, whole)}))


def as_json(bundle: Mapping[str, Any]) -> str:
    """Return a bundle as the text of its file."""
    return json.dumps(bundle, ensure_ascii=False, indent=2, default=str) + "\n"


def file_name(connector_id: int, now: datetime) -> str:
    """Return how the file is called."""
    return f"support-bundle-{connector_id}-{now:%Y%m%d-%H%M}.json"


def _cleaner(services: Services, connector: Connector) -> Cleaner:
    """Return what makes everything fit to be given away; it knows the secrets that this process holds."""
    held = [connector.mautic_client_id, connector.webhook_path, services.deployment.secret_key]
    held += services.deployment.secret_key_old
    held += [part for sealed in (connector.secrets, connector.mautic_token) for part in _opened(services, sealed)]
    with services.db.read() as session:
        held.append(session.get_bind().engine.url.password or "")
    return Cleaner(held, _words_of(connector))


def _opened(services: Services, sealed: str | None) -> list[str]:
    # A bundle is wanted most when something is wrong, such as another SECRET_KEY than the one things were sealed with.
    try:
        return [str(secret) for secret in services.vault.open(sealed).values()]
    except SettingError:
        return []


def _words_of(connector: Connector) -> Iterable[str]:
    """Return what may be quoted: names of fields, which say nothing of a person."""
    for field in connector.fields:
        yield from (str(field.get("alias") or ""), str(field.get("label") or ""))


def _application() -> dict[str, Any]:
    return {
        "version": _version("woo-mautic") or USER_AGENT.rpartition("/")[2],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _database(session: Session) -> dict[str, str]:
    dialect = session.get_bind().dialect
    query = "SELECT sqlite_version()" if dialect.name == "sqlite" else "SHOW server_version"
    schema = session.execute(text("SELECT version_num FROM alembic_version")).scalar() if _migrated(session) else ""
    version = str(session.execute(text(query)).scalar())
    return {"kind": dialect.name, "driver": dialect.driver, "version": version, "schema": str(schema or "")}


def _migrated(session: Session) -> bool:
    return bool(session.connection().dialect.has_table(session.connection(), "alembic_version"))


def _about(services: Services, connector: Connector) -> dict[str, Any]:
    fields = [{name: row.get(name) for name in ("alias", "type", "limit", "published")} for row in connector.fields]
    return {
        "connector": _columns(connector, _CONNECTOR),
        "store": connector.store_facts,
        "mautic": {**connector.mautic_facts, "fields": fields, "fields_at": connector.fields_at},
        "modules": services.modules(connector).to_json(),
    }


def _rows(session: Session, connector: Connector, cleaner: Cleaner) -> dict[str, Any]:
    owned = Schedule.connector_id == connector.id
    return {
        "failures": [_failure(row, cleaner) for row in _dead(session, connector.id)],
        "runs": [_columns(row, _RUN) for row in _runs(session, connector.id)],
        "holds": [_columns(row, _HOLD) for row in holds.open_holds(session, connector.id)],
        "schedule": [_columns(row, _SCHEDULE) for row in session.scalars(select(Schedule).where(owned))],
        # The names of processes tell the names of machines, which nobody needs.
        "heartbeats": [_columns(row, ("role", "beat_at")) for row in session.scalars(select(Heartbeat))],
        "deliveries": {state: _count(session, connector.id, state) for state in _STATES},
    }


def _dead(session: Session, connector_id: int) -> Sequence[Delivery]:
    query = select(Delivery).where(Delivery.connector_id == connector_id, _is("dead"))
    return session.scalars(query.order_by(Delivery.id.desc()).limit(FAILURES)).all()


def _runs(session: Session, connector_id: int) -> Sequence[Run]:
    query = select(Run).where(Run.connector_id == connector_id).order_by(Run.id.desc())
    return session.scalars(query.limit(RUNS)).all()


def _is(state: str) -> Any:
    # A bound parameter would keep SQLite from using the partial indexes.
    return Delivery.state == literal_column(f"'{state}'")


def _count(session: Session, connector_id: int, state: str) -> int:
    query = select(func.count()).select_from(Delivery).where(Delivery.connector_id == connector_id, _is(state))
    return session.scalar(query) or 0


def _failure(row: Delivery, cleaner: Cleaner) -> dict[str, Any]:
    return {**_columns(row, _FAILURE), "sentence": cleaner.unquoted(row.error)}


def _columns(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _sizes(services: Services, session: Session, connector: Connector, whole: bool) -> dict[str, Any]:
    stored = sizes.rows_of(session, connector.organisation_id, [connector.id])
    found: dict[str, Any] = {"rows": {each.label: each.rows for each in stored}}
    if whole:
        found["bytes"] = asdict(sizes.of_installation(session, services.deployment.instance_path))
    return found


def _log(services: Services, connector: Connector, cleaner: Cleaner, whole: bool) -> list[dict[str, Any]]:
    values = {} if whole else {"connector": connector.id}
    lines = read_log(services.deployment, LogLineQuery(values=values, limit=LOG_LINES)).lines
    return [cleaner.log_line(line) for line in lines]
