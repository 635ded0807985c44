"""RFM: each night the buyers of a shop are put into classes by the shop's own quantiles; who moved is sent (X14)."""
