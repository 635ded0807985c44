"""All tables, so that one import registers them with the metadata."""

from integration.models.access import ApiToken
from integration.models.access import Invitation
from integration.models.alert import Alert
from integration.models.alert import AlertGroup
from integration.models.alert import AlertNotice
from integration.models.attempt import Attempt
from integration.models.audit import AuditAction
from integration.models.audit import AuditAnchor
from integration.models.audit import AuditEntry
from integration.models.base import Base
from integration.models.connector import Connector
from integration.models.connector import ConnectorState
from integration.models.contact_link import ContactLink
from integration.models.counts import Meter
from integration.models.counts import RecordCount
from integration.models.database import Database
from integration.models.database import open_database
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.models.drift import Drift
from integration.models.drift import Gap
from integration.models.drift import Reconciliation
from integration.models.follow_up import FollowUpMark
from integration.models.follow_up import MarkState
from integration.models.hold import Hold
from integration.models.ledger import CustomerMark
from integration.models.ledger import LedgerEntry
from integration.models.organisation import Organisation
from integration.models.payload_file import PayloadFile
from integration.models.run import Run
from integration.models.run import RunKind
from integration.models.run import RunLine
from integration.models.run import RunState
from integration.models.schedule import Heartbeat
from integration.models.schedule import Schedule
from integration.models.sync_log import SyncLogCount
from integration.models.sync_log import SyncLogEntry
from integration.models.unanswered import UnansweredCall
from integration.models.unanswered import UnansweredPerson
from integration.models.user import Role
from integration.models.user import SignInLink
from integration.models.user import User
from integration.models.vault import Vault

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertNotice",
    "ApiToken",
    "Attempt",
    "AuditAction",
    "AuditAnchor",
    "AuditEntry",
    "Base",
    "Connector",
    "ConnectorState",
    "ContactLink",
    "CustomerMark",
    "Database",
    "Delivery",
    "DeliveryState",
    "Drift",
    "FollowUpMark",
    "Gap",
    "Heartbeat",
    "Hold",
    "Invitation",
    "LedgerEntry",
    "MarkState",
    "Meter",
    "Organisation",
    "PayloadFile",
    "Reconciliation",
    "RecordCount",
    "Role",
    "Run",
    "RunKind",
    "RunLine",
    "RunState",
    "Schedule",
    "SignInLink",
    "SyncLogCount",
    "SyncLogEntry",
    "UnansweredCall",
    "UnansweredPerson",
    "User",
    "Vault",
    "open_database",
]
