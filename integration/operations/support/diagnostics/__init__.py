"""Test connection (E1 to E3): five steps for the store, five for Mautic, each with a sentence and what to do.

Beside it `mapping` tries one record without sending it (E4), and `catalogue` lists what is recognised.
"""

from integration.operations.support.diagnostics.mautic import mautic_steps
from integration.operations.support.diagnostics.steps import Step, as_dict
from integration.operations.support.diagnostics.store import store_steps

__all__ = ["Step", "as_dict", "mautic_steps", "store_steps"]
