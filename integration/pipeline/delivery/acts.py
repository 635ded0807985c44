"""What is done in Mautic after the contact, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from integration.errors import IntegrationError
from integration.pipeline.delivery.groups import LeasedDelivery
from integration.plans import DeleteContact, FollowUp


class Uncertain(IntegrationError):
    """An e-mail may have been sent; a person decides."""

    def __init__(self) -> None:
        super().__init__(
            "uncertain",
            "The e-mail may have been sent already: the connection was lost before Mautic answered.",
            "Look at the contact in Mautic, then send again or discard.",
        )


@dataclass(frozen=True, slots=True)
class Act:
    """A follow-up of one delivery, to be done for one contact of Mautic."""

    leased: LeasedDelivery
    contact_id: int
    follow_up: FollowUp


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of an act; `error` None means done, `repeated` that it had been done before.

    An e-mail is `withheld` where it must not go out: to somebody who wants none, or because it is not published. A
    contact is `kept` that was to be deleted, and the message says why.
    """

    act: Act
    message: str = ""
    error: IntegrationError | None = None
    remote_id: int | None = None
    repeated: bool = False
    withheld: bool = False
    kept: bool = False


def is_deletion(followed: Followed) -> bool:
    """Tell whether the contact is gone by an act."""
    return isinstance(followed.act.follow_up, DeleteContact) and followed.error is None and not followed.kept
