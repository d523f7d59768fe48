"""Benchmarks that print ratios measured in one run, ours : floor; each takes --json. Run as ``python -m benchmarks.NAME``."""
