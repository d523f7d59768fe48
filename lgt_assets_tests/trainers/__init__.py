"""Exports loaded by the real trainers, each in an environment of its own (make test-trainers)."""
