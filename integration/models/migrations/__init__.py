"""The migrations, one a file of `versions`; what this says is known without Alembic."""

from __future__ import annotations

#: A change that needs a table for itself gives way after so long, and is tried again: others queue behind it.
LOCK_TIMEOUT = "1s"
