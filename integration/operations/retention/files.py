"""Retention of payload files: the hours that the owner of the run keeps them."""

from __future__ import annotations

from datetime import timedelta

from integration.models.organisation import Organisation
from integration.operations.retention.keep import Keep
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.services import Services


def prune(services: Services) -> int:
    """Delete the payload files that are kept no longer and return their number."""
    return payload_files.prune(services, services.clock.now(), _kept)


def _kept(owner: Organisation) -> timedelta:
    return timedelta(hours=Keep.of(owner).payload_hours)
