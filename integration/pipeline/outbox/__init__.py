"""The only writer of deliveries: accept, claim, settle, recover, requeue, discard, take back."""

from integration.models.delivery import DeliveryState
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.outbox.acceptance import Accepted, accept, numbers_of, overtake
from integration.pipeline.outbox.cancelled_runs import discard, given_up_count, is_any_free, take_back
from integration.pipeline.outbox.forgetting import forget
from integration.pipeline.outbox.gathering import ToCome, let_go, let_go_by_parts, sendable_count
from integration.pipeline.outbox.leasing import claim, claim_for_look_up, due_count, is_short, recover, renew
from integration.pipeline.outbox.reopening import (
    PARTIAL_MAX,
    Requeued,
    bury,
    busy_count,
    correct,
    hasten,
    later_count,
    open_count,
    partial_ids,
    requeue,
)
from integration.pipeline.outbox.run_figures import reopen_figures
from integration.pipeline.outbox.settled import add_known, add_settled
from integration.pipeline.outbox.settling import settle
from integration.pipeline.outbox.unanswered import (
    LookedUpCall,
    close,
    look_again,
    next_look,
    nothing_in_question,
    put_in_question,
    ready_for_a_look,
)

__all__ = [
    "Accepted",
    "LookedUpCall",
    "DeliveryState",
    "Outcome",
    "Requeued",
    "ToCome",
    "accept",
    "add_known",
    "add_settled",
    "bury",
    "busy_count",
    "claim",
    "claim_for_look_up",
    "close",
    "correct",
    "discard",
    "due_count",
    "forget",
    "given_up_count",
    "hasten",
    "is_any_free",
    "is_short",
    "later_count",
    "let_go",
    "let_go_by_parts",
    "look_again",
    "next_look",
    "nothing_in_question",
    "numbers_of",
    "open_count",
    "overtake",
    "PARTIAL_MAX",
    "partial_ids",
    "put_in_question",
    "ready_for_a_look",
    "recover",
    "renew",
    "reopen_figures",
    "requeue",
    "sendable_count",
    "settle",
    "take_back",
]
