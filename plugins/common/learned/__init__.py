"""Metrics that look through trained networks, whose weights are fetched when such a metric is chosen."""
