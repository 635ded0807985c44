"""The application: create_app() is a list of registrations."""

from __future__ import annotations

from importlib import import_module

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from integration import config
from integration.config import Deployment
from integration.engines import wired
from integration.models import Base
from integration.models import Database
from integration.models.database import engine_options
from integration.models.database import prepare
from integration.operations.capture import Capture
from integration.pipeline.ports import Ports
from integration.pipeline.ports import open_ports
from integration.pipeline.ports import with_observers
from integration.web import access
from integration.web import errors
from integration.web import filters
from integration.web import layout
from integration.web import security

#: Modules of integration.web, each with its blueprint as `bp`.
BLUEPRINTS = (
    "health",
    "auth",
    "overview",
    "connector_settings",
    "connection",
    "store_keys",
    "mautic_sign_in",
    "webhooks",
    "imports",
    "contacts",
    "orders",
    "fields",
    "tools",
    "run_options",
    "runs",
    "payloads",
    "records",
    "record",
    "dead_letters",
    "search",
    "storage",
    "alerts",
    "users",
    "invitations",
    "tokens",
    "platform",
    "api",
    "metrics",
    "activity",
    "reconciliation",
    "audit",
    "diagnostics",
    "logs",
    "hooks",
)

#: The models have a base of their own, so that the worker needs no Flask; here the tables are shared.
db = SQLAlchemy(metadata=Base.metadata)


def create_app(deployment: Deployment | None = None, ports: Ports | None = None) -> Flask:
    """Return the application; `ports` given (by tests or the worker) are used as they are."""
    deployment = deployment or (ports.deployment if ports else config.load())
    app = Flask(__name__, instance_path=str(deployment.instance_path))
    app.config.from_mapping(
        security.settings(deployment),
        SQLALCHEMY_DATABASE_URI=deployment.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(deployment.database_url),
    )
    db.init_app(app)
    app.extensions["ports"] = ports or _open_ports(app, deployment)
    security.init_app(app, deployment)
    access.login.init_app(app)
    app.before_request(access.require_sign_in)
    for part in (errors, filters, layout):
        part.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"integration.web.{name}").bp)
    return app


def _open_ports(app: Flask, deployment: Deployment) -> Ports:
    """Return the ports of this process, on the extension's engine."""
    with app.app_context():
        database = Database(prepare(db.engine))
    plain = wired(open_ports(deployment, database=database))
    return with_observers(plain, Capture(deployment.instance_path / "logs").observer)
