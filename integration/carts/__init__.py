"""Abandoned carts: captured at the checkout, announced to Mautic, brought back by a link, recovered by an order."""
