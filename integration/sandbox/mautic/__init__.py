"""A stand-in Mautic on a real socket, with the answers of a recorded Mautic 5.2.1."""

from integration.sandbox.mautic.seed import seed
from integration.sandbox.mautic.server import MauticServer

__all__ = ["MauticServer", "seed"]
