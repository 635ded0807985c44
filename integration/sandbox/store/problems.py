"""Answers that are errors, word for word as WordPress and WooCommerce give them."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request was refused with a status, WooCommerce's code, its message and further data."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.data = data
        self.allow = ""

    def body(self, status: int | None = None) -> dict[str, Any]:
        """Return the JSON body; batches and webhooks may show another status than the line (woo:165)."""
        return {"code": self.code, "message": self.message, "data": {"status": status or self.status, **self.data}}


def no_route() -> Refused:
    """No such route or verb (woo:194 to woo:196, woo:207 and woo:425)."""
    return Refused(404, "rest_no_route", "No route was found matching the URL and request method.")


def not_authentic(message: str, code: str = "woocommerce_rest_authentication_error") -> Refused:
    """Credentials were looked at and refused (woo:168 to woo:183)."""
    return Refused(401, code, message)


def unknown(noun: str) -> Refused:
    """An item that does not exist: orders, products, coupons (woo:151, woo:190 and woo:192)."""
    return Refused(404, f"woocommerce_rest_{noun}_invalid_id", "Invalid ID.")


def unknown_user() -> Refused:
    """A customer that does not exist (woo:116 and woo:191)."""
    return Refused(404, "wc_user_invalid_id", "Invalid user ID.")


def invalid(faults: list[tuple[str, str, str, Any]]) -> Refused:
    """Parameters that failed: (name, code, message, data) each (woo:197 to woo:204)."""
    listed = ", ".join(name for name, *_ in faults)
    return Refused(
        400,
        "rest_invalid_param",
        f"Invalid parameter(s): {listed}",
        params={name: message for name, _, message, _ in faults},
        details={name: {"code": code, "message": text, "data": data} for name, code, text, data in faults},
    )


def missing(*names: str) -> Refused:
    """Parameters that were left out (woo:144 and woo:322)."""
    return Refused(400, "rest_missing_callback_param", f"Missing parameter(s): {', '.join(names)}", params=list(names))


def no_trash(plural: str) -> Refused:
    """Deleting without force where there is no trash (woo:163 and woo:371)."""
    return Refused(501, "woocommerce_rest_trash_not_supported", f"{plural} do not support trashing.")


def too_many() -> Refused:
    """More than a hundred items in one batch (woo:166)."""
    text = "Unable to accept more than 100 items for this request."
    return Refused(413, "woocommerce_rest_request_entity_too_large", text)


def choice_of(options: list[str]) -> str:
    """List options as WordPress does: `a, b, and c` or `a and b`."""
    if len(options) < 3:
        return " and ".join(options)
    return f"{', '.join(options[:-1])}, and {options[-1]}"
