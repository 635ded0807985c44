"""The form of the Connection tab."""

from __future__ import annotations


def typed(**changes: str) -> dict[str, str]:
    """What the form holds when nothing was changed on it."""
    same = {
        "name": "Sunflower",
        "store_url": "https://127.0.0.1:9",
        "mautic_url": "https://127.0.0.1:9",
        "mautic_method": "client_credentials",
        "mautic_client_id": "1_client",
    }
    return same | changes
