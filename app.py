"""The application: create_app() is a list of registrations."""

from __future__ import annotations

from importlib import import_module

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from integration import config
from integration.config import Deployment
from integration.engines import wired
from integration.models import Base, Database
from integration.models.database import engine_options, prepare
from integration.operations.support.debug_capture import Capture
from integration.pipeline.services import Services, open_services, with_observers
from integration.web.frame import access, errors, fault_log, filters, incoming, layout, live, marks, mentions, security
from integration.web.frame.services import limit_waits

#: Modules of integration.web, each with its blueprint as `bp`.
BLUEPRINTS = (
    "machines.health",
    "account.sign_in",
    "operations.overview",
    "connection.settings",
    "connection.page",
    "connection.store_changed",
    "connection.deletion",
    "connection.uninstall",
    "connection.store_keys",
    "connection.mautic_sign_in",
    "connection.webhooks",
    "setup.page",
    "modules.imports",
    "modules.preview",
    "modules.contacts",
    "modules.orders",
    "modules.rfm",
    "modules.carts",
    "modules.consents",
    "modules.subscriptions",
    "modules.fields",
    "modules.mapping",
    "tools.page",
    "tools.settings",
    "operations.run_options",
    "operations.runs",
    "operations.payloads",
    "operations.records",
    "operations.record",
    "operations.dead_letters",
    "operations.search",
    "administration.storage",
    "administration.privacy",
    "administration.alerts",
    "administration.users",
    "account.invitations",
    "administration.tokens",
    "administration.api_reference",
    "administration.platform",
    "machines.field_mapping",
    "machines.inbound",
    "machines.metrics",
    "machines.openapi",
    "operations.activity",
    "operations.reconciliation",
    "administration.audit",
    "operations.diagnostics",
    "operations.logs",
    "machines.webhooks",
    "machines.carts",
    "machines.recovery",
    "machines.subscribe",
    "machines.subscribe_link",
)

#: The models have a base of their own, so that the worker needs no Flask; here the tables are shared.
db = SQLAlchemy(metadata=Base.metadata)


def create_app(deployment: Deployment | None = None, services: Services | None = None) -> Flask:
    """Return the application; `ports` given (by tests or the worker) are used as they are."""
    deployment = deployment or (services.deployment if services else config.load())
    app = Flask(__name__, instance_path=str(deployment.instance_path))
    app.config.from_mapping(
        security.settings(deployment),
        SQLALCHEMY_DATABASE_URI=deployment.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(deployment.database_url),
    )
    db.init_app(app)
    app.extensions["services"] = services or _open_services(app, deployment)
    limit_waits(app)
    incoming.init_app(app, deployment)
    security.init_app(app, deployment)
    access.login.init_app(app)
    app.before_request(access.require_sign_in)
    for part in (errors, fault_log, filters, layout, live, marks, mentions):
        part.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"integration.web.{name}").bp)
    return app


def _open_services(app: Flask, deployment: Deployment) -> Services:
    """Return the ports of this process, on the extension's engine."""
    with app.app_context():
        database = Database(prepare(db.engine))
    plain = wired(open_services(deployment, database=database))
    return with_observers(plain, Capture(deployment.instance_path / "logs").observer)
