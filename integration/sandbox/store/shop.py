"""What shoppers and shopkeepers do in the stand-in shop, beside the API."""

from __future__ import annotations

from typing import Any

from integration.sandbox.store import accounts, customer_json, order_changes, order_json, recurring
from integration.sandbox.store.state import State


class Shop:
    """What people do to the `state` of a shop; each act queues the webhooks that a real shop sends."""

    def __init__(self, state: State) -> None:
        self.state = state

    @property
    def customers(self) -> list[dict[str, Any]]:
        """Return all accounts as the API shows them."""
        with self.state.lock:
            return [customer_json.show(self.state, person, self.state.root) for person in self.state.people.values()]

    def shown(self, number: int) -> dict[str, Any]:
        """Return an order as the API shows it."""
        with self.state.lock:
            return order_json.show(self.state, self.state.order(number), self.state.root)

    def place_order(self, **fields: Any) -> dict[str, Any]:
        """Let a shopper buy: fields as in `POST /orders`; e-mails go in as typed, however broken."""
        with self.state.lock:
            row = order_changes.create(self.state, fields, "checkout")
            return order_json.show(self.state, row, self.state.root)

    def change_status(self, number: int, status: str) -> dict[str, Any]:
        """Let a shopkeeper set an order's status."""
        return self.edit_order(number, status=status)

    def edit_order(self, number: int, **fields: Any) -> dict[str, Any]:
        """Let a shopkeeper edit an order: fields as in `PUT /orders/{id}`."""
        with self.state.lock:
            order_changes.edit(self.state, self.state.order(number), fields)
            return self.shown(number)

    def refund(self, number: int, amount: str, reason: str = "") -> dict[str, Any]:
        """Let a shopkeeper pay money back: an amount like "5.00"; the whole amount sets the status to refunded."""
        with self.state.lock:
            return order_changes.refund(self.state, self.state.order(number), amount, reason)

    def trash(self, number: int) -> None:
        """Let a shopkeeper move an order to the trash."""
        with self.state.lock:
            order_changes.trash(self.state, self.state.order(number))

    def restore(self, number: int) -> None:
        """Let a shopkeeper take an order out of the trash."""
        with self.state.lock:
            order_changes.restore(self.state, self.state.order(number))

    def delete_force(self, number: int) -> None:
        """Let a shopkeeper delete an order for good: no webhook tells of it."""
        with self.state.lock:
            order_changes.delete(self.state, self.state.order(number))

    def subscribe(self, **fields: Any) -> dict[str, Any]:
        """Let a shopper buy a subscription: fields as in `POST /subscriptions`, the status active unless given."""
        with self.state.lock:
            return recurring.show(
                self.state, recurring.begin(self.state, {"status": "active", **fields}), self.state.root
            )

    def change_subscription(self, number: int, status: str) -> dict[str, Any]:
        """Let a shopkeeper, or the clock, set a subscription's status."""
        with self.state.lock:
            recurring.change(self.state, recurring.find(self.state, number), status)
            return recurring.show(self.state, recurring.find(self.state, number), self.state.root)

    def delete_subscription(self, number: int) -> None:
        """Let a shopkeeper delete a subscription for good."""
        with self.state.lock:
            recurring.delete(self.state, recurring.find(self.state, number))

    def register_customer(self, **fields: Any) -> dict[str, Any]:
        """Let a shopper open an account: fields as in `POST /customers`."""
        with self.state.lock:
            return customer_json.show(self.state, accounts.register(self.state, fields), self.state.root)

    def edit_customer(self, number: int, **fields: Any) -> dict[str, Any]:
        """Let a customer change the account: fields as in `PUT /customers/{id}`."""
        with self.state.lock:
            return customer_json.show(
                self.state, accounts.edit(self.state, self.state.person(number), fields), self.state.root
            )

    def delete_customer(self, number: int) -> None:
        """Let a shopkeeper delete an account."""
        with self.state.lock:
            accounts.delete(self.state, self.state.person(number))
