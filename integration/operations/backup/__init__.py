"""A backup of the database in one file, made while the application works, and putting it back."""

from integration.operations.backup.in_use import check as check_stopped
from integration.operations.backup.making import Backup, make
from integration.operations.backup.restoring import Restored, restore

__all__ = ["Backup", "Restored", "check_stopped", "make", "restore"]
