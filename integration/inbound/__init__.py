"""What other programs send: contacts, orders and carts that take the same road as the store's own (P101)."""
