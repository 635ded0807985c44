"""All tables, so that one import registers them with the metadata."""

from integration.models.audit import AuditAction
from integration.models.audit import AuditEntry
from integration.models.base import Base
from integration.models.connector import Connector
from integration.models.connector import ConnectorState
from integration.models.contact_link import ContactLink
from integration.models.database import Database
from integration.models.database import open_database
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.models.follow_up import FollowUpMark
from integration.models.follow_up import MarkState
from integration.models.hold import Hold
from integration.models.ledger import CustomerMark
from integration.models.ledger import LedgerEntry
from integration.models.organisation import Organisation
from integration.models.run import Run
from integration.models.run import RunKind
from integration.models.run import RunLine
from integration.models.run import RunState
from integration.models.schedule import Heartbeat
from integration.models.schedule import Schedule
from integration.models.sync_log import SyncLogCount
from integration.models.sync_log import SyncLogEntry
from integration.models.user import Role
from integration.models.user import SignInLink
from integration.models.user import User
from integration.models.vault import Vault

__all__ = [
    "AuditAction",
    "AuditEntry",
    "Base",
    "Connector",
    "ConnectorState",
    "ContactLink",
    "CustomerMark",
    "Database",
    "Delivery",
    "DeliveryState",
    "FollowUpMark",
    "Heartbeat",
    "Hold",
    "LedgerEntry",
    "MarkState",
    "Organisation",
    "Role",
    "Run",
    "RunKind",
    "RunLine",
    "RunState",
    "Schedule",
    "SignInLink",
    "SyncLogCount",
    "SyncLogEntry",
    "User",
    "Vault",
    "open_database",
]
