"""How records end."""

from __future__ import annotations

#: Mautic would not have it.
REFUSED = {"error_code": "refused", "message": "Mautic refused the e-mail.", "category": "permanent"}
