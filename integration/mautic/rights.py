"""Which right a Mautic role lacks, by the path that was refused."""

from __future__ import annotations

_RIGHTS = {
    "contacts": "contacts: view, create and edit, own and others",
    "notes": "notes (in Mautic up to 7.1 this needs the role Administrator)",
    "segments": "segments: view own and others",
    "emails": "emails: view own and others",
    "fields": "custom fields: full",
    "tags": "tags: view and create",
    "users": "users: view",
    "stats": "reports: view",
}


def needed(path: str) -> tuple[str, str]:
    """Return (area, right it needs) for a 403 on a path below /api/ (mautic:346 to mautic:350, dossier 2.6, M26)."""
    parts = [part for part in path.split("/") if part]
    area = "notes" if "notes" in parts else (parts[0] if parts else "")
    if area == "contacts" and parts[-1] == "send":
        area = "emails"
    return area or "this", _RIGHTS.get(area, area or "the API")
