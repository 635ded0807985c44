"""The only writer of deliveries: accept, claim, settle, recover, requeue, discard."""

from integration.models.delivery import DeliveryState
from integration.pipeline.lines import Outcome
from integration.pipeline.outbox.acceptance import Accepted
from integration.pipeline.outbox.acceptance import accept
from integration.pipeline.outbox.leasing import claim
from integration.pipeline.outbox.leasing import claim_asked
from integration.pipeline.outbox.leasing import recover
from integration.pipeline.outbox.leasing import renew
from integration.pipeline.outbox.reopening import Requeued
from integration.pipeline.outbox.reopening import bury
from integration.pipeline.outbox.reopening import busy_count
from integration.pipeline.outbox.reopening import correct
from integration.pipeline.outbox.reopening import discard
from integration.pipeline.outbox.reopening import hasten
from integration.pipeline.outbox.reopening import later_count
from integration.pipeline.outbox.reopening import open_count
from integration.pipeline.outbox.reopening import requeue
from integration.pipeline.outbox.settling import settle
from integration.pipeline.outbox.unanswered import Asked
from integration.pipeline.outbox.unanswered import close
from integration.pipeline.outbox.unanswered import look_again
from integration.pipeline.outbox.unanswered import next_look
from integration.pipeline.outbox.unanswered import nothing_in_question
from integration.pipeline.outbox.unanswered import put_in_question
from integration.pipeline.outbox.unanswered import ready_for_a_look

__all__ = [
    "Accepted",
    "Asked",
    "DeliveryState",
    "Outcome",
    "Requeued",
    "accept",
    "bury",
    "busy_count",
    "claim",
    "claim_asked",
    "close",
    "correct",
    "discard",
    "hasten",
    "later_count",
    "look_again",
    "next_look",
    "nothing_in_question",
    "open_count",
    "put_in_question",
    "ready_for_a_look",
    "recover",
    "renew",
    "requeue",
    "settle",
]
