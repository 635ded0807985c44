"""Subscriptions: taken from a form in the shop's pages, confirmed by a link, kept as evidence, forgotten."""
