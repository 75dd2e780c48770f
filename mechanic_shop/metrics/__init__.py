"""Figures about the shop at work, for Prometheus; nothing at all while they are off.

The house knows nothing of this package. It sends signals, which cost nothing as long as
nobody listens; the middleware, which is installed where ``METRICS_TOKEN`` is set,
connects the meter that counts them.
"""
