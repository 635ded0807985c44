"""All tables, so that one import registers them with the metadata."""

from integration.models.access import ApiToken, Invitation
from integration.models.alert import Alert, AlertGroup, AlertNotice
from integration.models.attempt import Attempt
from integration.models.audit import AuditAction, AuditAnchor, AuditEntry
from integration.models.base import Base
from integration.models.buyer_score import BuyerScore
from integration.models.cart import Cart, CartEvent, CartState
from integration.models.cart_leftover import CartLeftover
from integration.models.connector import Connector, ConnectorState
from integration.models.consent import ConsentEntry
from integration.models.contact_link import ContactLink
from integration.models.counts import Meter, RecordCount
from integration.models.database import Database, open_database
from integration.models.delivery import Delivery, DeliveryState
from integration.models.disk_report import DiskReport
from integration.models.drift import Drift, Gap, Reconciliation
from integration.models.erasure import BlockedAddress, Erasure, ErasureState
from integration.models.follow_up import FollowUpMark, MarkState
from integration.models.former_address import FormerAddress
from integration.models.hold import Hold
from integration.models.inbound import InboundRequest
from integration.models.installation import Installation
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.mapping_version import MappingVersion
from integration.models.organisation import Organisation
from integration.models.payload_file import PayloadFile
from integration.models.person_stamp import PersonStamp
from integration.models.product_categories import ProductCategories
from integration.models.reading_list import ReadingList
from integration.models.record_stamp import RecordStamp
from integration.models.recurring_order import RecurringEntry
from integration.models.run import FormerRecord, Run, RunKind, RunLine, RunState
from integration.models.schedule import Heartbeat, InstallationJob, Schedule
from integration.models.subscription import Subscription, SubscriptionState
from integration.models.sync_log import SyncLogCount, SyncLogEntry
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.models.user import Role, SignInLink, User, UserSession
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
    "BlockedAddress",
    "BuyerScore",
    "Cart",
    "CartEvent",
    "CartLeftover",
    "CartState",
    "Connector",
    "ConnectorState",
    "ConsentEntry",
    "ContactLink",
    "CustomerMark",
    "Database",
    "Delivery",
    "DeliveryState",
    "DiskReport",
    "Drift",
    "Erasure",
    "ErasureState",
    "FollowUpMark",
    "FormerRecord",
    "FormerAddress",
    "Gap",
    "Heartbeat",
    "Hold",
    "InboundRequest",
    "Installation",
    "InstallationJob",
    "Invitation",
    "LedgerEntry",
    "MappingVersion",
    "MarkState",
    "Meter",
    "Organisation",
    "PayloadFile",
    "PersonStamp",
    "ProductCategories",
    "ReadingList",
    "Reconciliation",
    "RecordCount",
    "RecordStamp",
    "RecurringEntry",
    "Role",
    "Run",
    "RunKind",
    "RunLine",
    "RunState",
    "Schedule",
    "SignInLink",
    "Subscription",
    "SubscriptionState",
    "SyncLogCount",
    "SyncLogEntry",
    "UnansweredCall",
    "UnansweredPerson",
    "User",
    "UserSession",
    "Vault",
    "open_database",
]
